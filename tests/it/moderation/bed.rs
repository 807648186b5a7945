//! Rooms with moderation, whose orders to connections are recorded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use common::clock::ManualClock;
use liveloom::moderation::{
    self, Actor, BannedWords, ChatRules, Kind, Moderation, NewSanction, Refusal, TOPIC, WORDS_TOPIC,
};
use realtime::orders::{KeptMessage, OrderError, Orders};
use serde_json::{Value, json};
use store::cache::{Announcement, Cache};

use crate::support::rooms::Rooms;

/// The anchor of [`Bed::live`].
pub const ANCHOR: Actor<'_> = Actor::User("anchor");

/// A live room, and moderation by a clock that stands still.
pub struct Bed {
    pub rooms: Rooms,
    pub moderation: Moderation,
    pub orders: Arc<Recorder>,
    pub clock: Arc<ManualClock>,
    pub live: String,
}

impl Bed {
    /// On SQLite and memory, or on MariaDB and Redis.
    pub async fn new(is_embedded: bool) -> Self {
        Self::of(Rooms::start(is_embedded).await).await
    }

    /// In these rooms.
    pub async fn of(rooms: Rooms) -> Self {
        let live = rooms.live("anchor").await;
        let (orders, clock) = (Arc::<Recorder>::default(), ManualClock::new(Utc::now()));
        let moderation = node(&rooms, rooms.cache.clone(), &clock, &orders);
        Self { rooms, moderation, orders, clock, live }
    }

    /// Another node over the same stores.
    pub async fn other_node(&self) -> Moderation {
        let cache = self.rooms.cache_of_another_node().await;
        let moderation = node(&self.rooms, cache.clone(), &self.clock, &self.orders);
        tokio::spawn(follow(cache, moderation.clone()));
        moderation
    }

    /// Registers users.
    pub async fn register(&self, users: &[&str]) {
        for user in users {
            self.rooms.users.find_or_register(user).await.unwrap();
        }
    }

    /// Whether a user may write that.
    pub async fn publish(&self, user: &str, text: &str) -> Result<ChatRules, Refusal> {
        self.moderation.may_publish(&self.live, user, text).await
    }

    /// The anchor mutes or bans a user.
    pub async fn impose(&self, kind: Kind, user: &str, seconds: Option<u64>) {
        let new = NewSanction { duration: seconds.map(Duration::from_secs), reason: String::new() };
        self.moderation.impose(kind, &self.live, ANCHOR, user, &new).await.unwrap();
    }

    /// The clock goes on.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }
}

fn node(rooms: &Rooms, cache: Cache, clock: &Arc<ManualClock>, orders: &Arc<Recorder>) -> Moderation {
    Moderation::new(moderation::Parts {
        db: rooms.db.clone(),
        cache: cache.clone(),
        clock: clock.clone(),
        lives: rooms.lives.clone(),
        users: rooms.users.clone(),
        orders: orders.clone(),
        words: BannedWords::new(rooms.db.clone(), cache, clock.clone()),
    })
}

/// As the application does it.
async fn follow(cache: Cache, moderation: Moderation) {
    let mut changes = cache.announcements();
    while let Ok(change) = changes.recv().await {
        match change {
            Announcement::Changed { topic, key } if topic == TOPIC => moderation.forget(Some(&key)).await,
            Announcement::Changed { topic, .. } if topic == WORDS_TOPIC => moderation.words().forget(),
            Announcement::Changed { .. } => {}
            Announcement::Resync => {
                moderation.forget(None).await;
                moderation.words().forget();
            }
        }
    }
}

/// Orders as they came.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<Value>>);

impl Recorder {
    /// What came since the last call.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, order: Value) {
        self.0.lock().unwrap().push(order);
    }
}

#[async_trait]
impl Orders for Recorder {
    async fn kick(&self, live_id: &str, user_id: &str, code: u16, why: &str) {
        self.note(json!({"kick": [live_id, user_id, code, why]}));
    }

    async fn disconnect(&self, user_id: &str, why: &str) {
        self.note(json!({"disconnect": [user_id, why]}));
    }

    async fn tell_room(&self, live_id: &str, from: &str, action: &str, data: Value) {
        self.note(json!({"tell": [live_id, from, action, data]}));
    }

    /// The messages up to the tenth are kept.
    async fn delete_message(&self, live_id: &str, epoch: u64, offset: u64) -> Result<bool, OrderError> {
        self.note(json!({"delete": [live_id, epoch, offset]}));
        Ok(offset <= 10)
    }

    async fn kept_messages(&self, _: &str, _: usize) -> Result<Vec<KeptMessage>, OrderError> {
        Ok(Vec::new())
    }
}
