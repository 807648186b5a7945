//! Nodes that deliver callbacks, in this process.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::clock::SystemClock;
use config::{CallbackConfig, Current, Secret};
use liveloom::auth::WebhookSigner;
use liveloom::callback::{self, Deliveries, Delivery, Filter, Parts};
use liveloom::event::{DomainEvent, append, append_all};
use liveloom::user::Users;
use prometheus::{Registry, TextEncoder};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};
use store::db::Db;
use store::entity::{callback_delivery, room_lane};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::callback_receiver::{PLAIN_SECRET, Receiver, SECRET};
use crate::support::database::TestDatabase;
use crate::support::services::{Needs, Services};
use crate::support::wait::wait_until;

/// How long anything here may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// A database with a receiver.
pub struct Bed {
    pub receiver: Receiver,
    pub db: Db,
    pub deliveries: Deliveries,
    pub config: CallbackConfig,
    database: TestDatabase,
}

/// A node at work.
pub struct Node {
    registry: Registry,
    running: TaskTracker,
    stop: CancellationToken,
}

/// Users of `db`, with accounts of the built-in IM.
pub async fn users(db: &Db) -> Users {
    Services::over(db, Needs::default()).await.users
}

impl Bed {
    pub async fn new(is_embedded: bool) -> Self {
        let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
        let db = database.migrated().await;
        let receiver = Receiver::start().await;
        let config = CallbackConfig {
            addr: receiver.addr(),
            secrets: [SECRET, PLAIN_SECRET].map(Secret::new).to_vec(),
            timeout_s: 2,
            max_attempts: 8,
        };
        let deliveries = Deliveries::new(db.clone(), Arc::new(SystemClock));
        Self { receiver, db, deliveries, config, database }
    }

    /// A node with this bed's settings.
    pub async fn node(&self) -> Node {
        let (registry, running, stop) = (Registry::new(), TaskTracker::new(), CancellationToken::new());
        let users = users(&self.db).await;
        let signer = Current::fixed(WebhookSigner::new(&self.config.secrets));
        let parts = Parts { db: self.db.clone(), clock: Arc::new(SystemClock), users, signer, node_id: 1 };
        callback::start(parts, &self.config, &registry, &running, &stop).unwrap();
        running.close();
        Node { registry, running, stop }
    }

    pub async fn append(&self, live_id: &str, event: &DomainEvent) {
        let db = &self.db;
        let done =
            db.transaction(|tx| Box::pin(async move { append(tx, db, live_id, event, Utc::now()).await }));
        done.await.unwrap();
    }

    /// So many events of a kind that is told, in each of the rooms.
    pub async fn append_to(&self, live_ids: &[&str], count: usize) {
        let events: Vec<_> = live_ids
            .iter()
            .flat_map(|live_id| vec![((*live_id).to_owned(), DomainEvent::LiveStarted); count])
            .collect();
        let db = &self.db;
        let done = db.transaction(|tx| {
            let events = &events;
            Box::pin(async move { append_all(tx, db, events, Utc::now()).await })
        });
        done.await.unwrap();
    }

    /// The same database over connections of its own, as another node has them.
    pub async fn another_db(&self) -> Db {
        self.database.connect().await
    }

    /// The same database over one connection.
    pub async fn single_connection(&self) -> Db {
        let mut config = self.database.config();
        (config.databases[0].max_open_conns, config.databases[0].max_idle_conns) = (1, 1);
        self.database.open(&config).await.unwrap()
    }

    /// One event, committed by another node.
    pub async fn append_over(&self, db: &Db, live_id: &str) {
        let done = db.transaction(|tx| {
            Box::pin(async move { append(tx, db, live_id, &DomainEvent::LiveStarted, Utc::now()).await })
        });
        done.await.unwrap();
    }

    /// Waits until the room's first `count` events were taken, and that in their order.
    pub async fn wait_taken(&self, live_id: &str, count: usize) {
        let all = || self.receiver.taken(live_id).len() >= count;
        wait_until(&format!("{count} of {live_id} are taken"), SOON, async || all()).await;
        let expected: Vec<i64> = (1..=i64::try_from(count).unwrap()).collect();
        assert_eq!(self.receiver.taken(live_id)[..count], expected);
    }

    pub async fn wait_calls(&self, live_id: &str, count: usize) {
        let all = || self.receiver.calls_of(live_id).len() >= count;
        wait_until(&format!("{count} calls for {live_id}"), SOON, async || all()).await;
    }

    pub async fn lane(&self, live_id: &str) -> room_lane::Model {
        room_lane::Entity::find_by_id(live_id).one(self.db.writer()).await.unwrap().unwrap()
    }

    /// Waits until the room's lane is nobody's, and answers it.
    pub async fn free_lane(&self, live_id: &str) -> room_lane::Model {
        let is_free = async || self.lane(live_id).await.callback_owner.is_none();
        wait_until("the lane is free", SOON, is_free).await;
        self.lane(live_id).await
    }

    /// The one callback that left its lane.
    pub async fn row(&self) -> callback_delivery::Model {
        let rows = callback_delivery::Entity::find().order_by_asc(callback_delivery::Column::Id);
        let mut rows = rows.all(self.db.writer()).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    pub async fn list(&self, filter: Filter) -> Vec<Delivery> {
        self.deliveries.list(&filter, 100).await.unwrap()
    }

    /// Seconds from now until a time of the database's clock.
    pub async fn seconds_to(&self, due: Option<i64>) -> f64 {
        let left = due.expect("it is due some time") - self.db.now_ms(self.db.writer()).await.unwrap();
        f64::from(i32::try_from(left).unwrap()) / 1000.0
    }

    /// As if so much time had passed: what rests is due that much earlier; leases are left alone.
    pub async fn pass(&self, time: Duration) {
        let ms = time.as_millis();
        for sql in [
            format!("UPDATE room_lane SET callback_due = callback_due - {ms} WHERE callback_owner IS NULL"),
            format!("UPDATE callback_delivery SET due = due - {ms} WHERE owner IS NULL"),
        ] {
            self.db.writer().execute_unprepared(&sql).await.unwrap();
        }
    }
}

impl Node {
    /// Stops it, and waits for its end.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.running.wait().await;
    }

    /// The value of a metric, which may have labels (`name{label="value"}`).
    pub fn metric(&self, name: &str) -> f64 {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
