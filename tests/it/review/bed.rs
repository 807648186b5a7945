//! The content review in this process, over a database and a review service of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::clock::ManualClock;
use config::{Current, PiliConfig, Secret};
use liveloom::auth::Credentials;
use liveloom::censor::{self, HookKeys, Reviews};
use liveloom::event::DomainEvent;
use liveloom::live::{CreateRoom, Lives};
use liveloom::media::ReviewClient;
use liveloom::user::Users;
use prometheus::{Registry, TextEncoder};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use store::db::{Db, Tx};
use store::entity::{event_log, live_censor};
use store::fence::{Fence, LeaseLost};

use crate::support::database::TestDatabase;
use crate::support::fake_review::FakeReview;
use crate::support::services::{Needs, Services};

pub const KEYS: (&str, &str) = ("review-ak", "review-sk");

/// The column `state` of a job.
pub const ASKED: Option<i32> = Some(0);
pub const RUNNING: Option<i32> = Some(1);
pub const CLOSING: Option<i32> = Some(2);
pub const CLOSED: Option<i32> = Some(3);

/// The review, and what it stands on.
pub struct Bed {
    pub db: Db,
    pub lives: Lives,
    users: Users,
    pub reviews: Reviews,
    pub service: FakeReview,
    pub fence: Leader,
    clock: Arc<ManualClock>,
    registry: Registry,
    parts: Box<dyn Fn() -> (Reviews, Registry) + Send + Sync>,
    _database: TestDatabase,
}

/// Whether this process leads.
#[derive(Default)]
pub struct Leader {
    pub is_former: AtomicBool,
}

impl Fence for Leader {
    fn check<'a>(
        &'a self,
        _: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>> {
        let is_former = self.is_former.load(Ordering::Relaxed);
        Box::pin(async move { if is_former { Err(LeaseLost::Lost) } else { Ok(()) } })
    }
}

impl Bed {
    /// On SQLite, or on MariaDB.
    pub async fn start(is_embedded: bool) -> Self {
        let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
        let db = database.migrated().await;
        let manual = ManualClock::new(Utc::now());
        let keys = Credentials { access_key: KEYS.0.to_owned(), secret_key: Secret::new(KEYS.1) };
        let pili = PiliConfig {
            hub: "hub".to_owned(),
            publish_domain: "publish.example".to_owned(),
            ..PiliConfig::default()
        };
        let needs = Needs { clock: manual.clone(), keys: keys.clone(), pili, ..Needs::default() };
        let Services { clock, im, users, lives, .. } = Services::over(&db, needs).await;
        let service = FakeReview::start(KEYS).await;
        let config = service.config();
        let parts = {
            let (db, clock, lives, users) = (db.clone(), Arc::clone(&clock), lives.clone(), users.clone());
            move || {
                let parts = censor::Parts {
                    db: db.clone(),
                    clock: Arc::clone(&clock),
                    lives: lives.clone(),
                    users: users.clone(),
                    im: im.clone(),
                    client: ReviewClient::new(&config.api_url, keys.clone()).unwrap(),
                    hooks: Current::fixed(HookKeys::new(&[Secret::new("a key")])),
                    config: config.clone(),
                };
                let registry = Registry::new();
                (Reviews::new(parts, &registry).unwrap(), registry)
            }
        };
        let (reviews, registry) = parts();
        let (fence, parts) = (Leader::default(), Box::new(parts));
        Self {
            db,
            lives,
            users,
            reviews,
            service,
            fence,
            clock: manual,
            registry,
            parts,
            _database: database,
        }
    }

    /// The review as another node runs it.
    pub fn other_node(&self) -> Reviews {
        (self.parts)().0
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }

    /// Makes a user.
    pub async fn register(&self, user: &str) {
        self.users.find_or_register(user).await.unwrap();
    }

    /// A room of an anchor.
    pub async fn created(&self, anchor: &str) -> String {
        self.lives.create(anchor, room()).await.unwrap().live_id
    }

    /// A live room of an anchor.
    pub async fn live(&self, anchor: &str) -> String {
        let live_id = self.created(anchor).await;
        self.lives.start(&live_id, anchor).await.unwrap();
        live_id
    }

    /// One run of the leader's job.
    pub async fn repair(&self) -> u64 {
        self.reviews.repair(&self.fence).await.unwrap()
    }

    /// The rows of a room.
    pub async fn rows(&self, live_id: &str) -> Vec<live_censor::Model> {
        let rows = live_censor::Entity::find().filter(live_censor::Column::LiveId.eq(live_id));
        rows.order_by_asc(live_censor::Column::Id).all(self.db.writer()).await.unwrap()
    }

    /// The states of a room's rows.
    pub async fn states(&self, live_id: &str) -> Vec<Option<i32>> {
        self.rows(live_id).await.iter().map(|row| row.state).collect()
    }

    /// What happened in a room.
    pub async fn events(&self, live_id: &str) -> Vec<DomainEvent> {
        let rows = event_log::Entity::find().filter(event_log::Column::LiveId.eq(live_id));
        let rows = rows.order_by_asc(event_log::Column::Seq).all(self.db.writer()).await.unwrap();
        rows.iter().map(|row| DomainEvent::decode(&row.kind, &row.body).unwrap()).collect()
    }

    /// The metrics as they are exported.
    pub fn metrics(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }
}

fn room() -> CreateRoom {
    CreateRoom {
        title: "room".to_owned(),
        notice: None,
        cover_url: None,
        extends: None,
        start_at: None,
        end_at: None,
        publish_expire_at: None,
    }
}
