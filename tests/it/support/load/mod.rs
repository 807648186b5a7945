//! The services around nodes, and a load of all that must not be lost: gifts, likes, rooms, PKs and what
//! is told of them.

mod anchors;
mod likers;
pub mod moods;
pub mod verdict;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::db::Db;
use tokio::sync::watch;

use self::anchors::{Anchors, Noted};
use self::likers::{Given, Likers};
use super::callback_receiver::{self, PLAIN_SECRET, Receiver, SECRET};
use super::client::Client;
use super::database::TestDatabase;
use super::fake_payment::{self, FakePayment};
use super::gift_ledgers::{Senders, Told, rows};

/// A gift type of any amount.
const ANY: i64 = 1;
/// Live rooms in which gifts and likes are given.
const ROOMS: usize = 2;
/// Who sends gifts in each of them; as many like it.
const GUESTS: usize = 2;
/// Pairs of anchors who begin and end PKs.
const PAIRS: usize = 2;
/// How long it may take on a busy machine until all is settled.
const SETTLED: Duration = Duration::from_secs(300);

/// What stands around the nodes.
pub struct World {
    /// A client without a token for each way in: a node, or what stands in front of all.
    pub entrances: Vec<Client>,
    pub payer: FakePayment,
    pub receiver: Receiver,
    database: Arc<TestDatabase>,
    db: Db,
}

impl World {
    /// Of nodes with [`World::settings`] over `database`.
    pub async fn new(
        entrances: Vec<Client>,
        database: Arc<TestDatabase>,
        payer: FakePayment,
        receiver: Receiver,
    ) -> Self {
        let db = database.connect().await;
        Self { entrances, payer, receiver, database, db }
    }

    /// What nodes need in their configuration, as YAML.
    pub fn settings(payer: &FakePayment, receiver: &Receiver) -> String {
        let callback = format!(
            "callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}'], timeout_s: 1}}",
            receiver.addr()
        );
        // Nobody in the load keeps a connection open.
        let live = "live: {viewer_timeout_s: 86400, anchor_timeout_s: 86400}";
        [&payer.yaml(), &callback, live].join("\n")
    }

    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The same user at all entrances.
    async fn clients_of(&self, user_id: &str) -> Vec<Client> {
        join_all(self.entrances.iter().map(|entrance| entrance.log_in(user_id))).await
    }

    /// As if a minute had passed for callbacks that wait for another attempt; leases are left alone.
    pub async fn let_callbacks_rest_no_longer(&self) {
        for sql in [
            "UPDATE room_lane SET callback_due = callback_due - 60000 WHERE callback_owner IS NULL",
            "UPDATE callback_delivery SET due = due - 60000 WHERE owner IS NULL",
        ] {
            self.db.writer().execute_unprepared(sql).await.unwrap();
        }
    }

    /// From now on the payment service and the receiver do well.
    pub fn calm(&self) {
        self.payer.set(fake_payment::Mood::Well);
        self.receiver.set_mood(callback_receiver::Mood::Well);
    }

    pub async fn progress(&self, load: &Load) -> String {
        let sql = "SELECT CAST(COUNT(*) AS CHAR) FROM live_gift WHERE status = 0 \
                   UNION ALL SELECT CAST(COUNT(*) AS CHAR) FROM callback_delivery \
                   UNION ALL SELECT CAST(SUM(seq - COALESCE(callback_done, 0)) AS CHAR) FROM room_lane";
        let [[waiting], [aside], [behind]] = rows::<1>(self.database(), sql).await.try_into().unwrap();
        let (heard, charged) = (load.gifts(), self.payer.charged().len());
        let calls = self.receiver.count();
        format!(
            "{heard} gifts heard of, {charged} charged, {waiting} waiting; {calls} callbacks, {behind} \
             events behind, {aside} stepped out"
        )
    }
}

/// Gifts, likes, rooms and PKs.
pub struct Load {
    senders: Vec<Senders>,
    gifts: watch::Receiver<usize>,
    likers: Vec<Likers>,
    anchors: Vec<Anchors>,
}

/// What the load was told.
pub struct Done {
    pub told: Vec<Told>,
    pub likes: Vec<Given>,
    pub noted: Vec<Noted>,
}

impl Load {
    pub async fn start(world: &World) -> Self {
        let any = json!({"gift_id": ANY, "name": "any", "amount": 0});
        assert_eq!(world.entrances[0].post("/server/gift/config", any).await.status, 200);
        let (mut senders, mut likers) = (Vec::new(), Vec::new());
        for room in 0..ROOMS {
            let host = world.entrances[0].log_in(&format!("host-{room}")).await;
            let live_id = host.go_live("drill").await["live_id"].as_str().unwrap().to_owned();
            let (mut givers, mut fans) = (Vec::new(), Vec::new());
            for guest in 0..GUESTS {
                givers.push(guest_of(world, &live_id, format!("giver-{room}-{guest}")).await);
                fans.push(guest_of(world, &live_id, format!("fan-{room}-{guest}")).await);
            }
            senders.push(Senders::start(givers, &live_id, ANY));
            likers.push(Likers::start(&live_id, fans));
        }
        let mut anchors = Vec::new();
        for pair in 0..PAIRS {
            let (one, other) = (format!("one-{pair}"), format!("other-{pair}"));
            let clients = (world.clients_of(&one).await, world.clients_of(&other).await);
            anchors.push(Anchors::start((one, clients.0), (other, clients.1)));
        }
        let gifts = sum(senders.iter().map(Senders::counting).collect());
        Self { senders, gifts, likers, anchors }
    }

    fn gifts(&self) -> usize {
        *self.gifts.borrow()
    }

    /// How many gifts senders have heard of.
    pub fn gifts_heard_of(&self) -> watch::Receiver<usize> {
        self.gifts.clone()
    }

    /// Lets all finish what they are about.
    pub async fn stop(self) -> Done {
        let (told, likes, noted) = tokio::join!(
            join_all(self.senders.into_iter().map(Senders::stop)),
            join_all(self.likers.into_iter().map(Likers::stop)),
            join_all(self.anchors.into_iter().map(Anchors::stop)),
        );
        Done { told: told.concat(), likes: likes.concat(), noted: noted.concat() }
    }
}

async fn guest_of(world: &World, live_id: &str, user_id: String) -> (String, Vec<Client>) {
    let clients = world.clients_of(&user_id).await;
    clients[0].post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    (user_id, clients)
}

/// The sum of several counts.
fn sum(counts: Vec<watch::Receiver<usize>>) -> watch::Receiver<usize> {
    let sum = watch::Sender::new(0);
    let receiver = sum.subscribe();
    let sum = std::sync::Arc::new(sum);
    for mut count in counts {
        let sum = std::sync::Arc::clone(&sum);
        tokio::spawn(async move {
            let mut before = 0;
            while count.changed().await.is_ok() {
                let now = *count.borrow_and_update();
                sum.send_modify(|sum| *sum += now - before);
                before = now;
            }
        });
    }
    receiver
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let likes: i64 = self.likes.iter().map(|given| given.surely).sum();
        let doubtful: i64 = self.likes.iter().map(|given| given.in_doubt).sum();
        let (gifts, steps) = (self.told.len(), self.noted.len());
        write!(f, "{gifts} gifts, {likes} likes and {doubtful} in doubt, {steps} steps of rooms and PKs")
    }
}
