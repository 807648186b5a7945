//! Likes over stores of the test's own, without HTTP.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use config::CacheConfig;
use liveloom::im::{ImError, Message, Outlet};
use liveloom::like::{self, Likes};
use liveloom::live::Lives;
use liveloom::user::Users;
use prometheus::Registry;
use sea_orm::EntityTrait;
use serde_json::json;
use store::cache::Cache;
use store::db::Db;
use store::entity::stats_single_live;
use store::registry::NodeLease;

use crate::cache::backend::config;
use crate::support::database::TestDatabase;
use crate::support::env;
use crate::support::services::{Needs, Services};

/// One node.
pub struct Node {
    pub db: Db,
    pub cache: Cache,
    pub lives: Lives,
    pub users: Users,
    pub likes: Likes,
    pub sent: Arc<Sent>,
    _lease: NodeLease,
}

/// What the IM service got, and when; it can be slow.
#[derive(Default)]
pub struct Sent {
    pub messages: Mutex<Vec<(Instant, Message)>>,
    pub delay: Mutex<Duration>,
}

#[async_trait]
impl Outlet for Sent {
    async fn deliver(&self, message: Message) -> Result<(), ImError> {
        // How many are in is told as well.
        if message.action == "online_count" {
            return Ok(());
        }
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        self.messages.lock().unwrap().push((Instant::now(), message));
        Ok(())
    }
}

/// A Redis of this run, with a prefix of its own.
pub fn redis() -> CacheConfig {
    CacheConfig::Node(config(vec![env::redis()]))
}

/// The Redis Cluster of this run, with a prefix of its own.
pub fn redis_cluster() -> CacheConfig {
    CacheConfig::Cluster(config(env::redis_cluster()))
}

impl Node {
    pub async fn start(database: &TestDatabase, cache: &CacheConfig, node_id: u16) -> Self {
        Self::over(database.migrated().await, cache, node_id).await
    }

    pub async fn over(db: Db, cache: &CacheConfig, node_id: u16) -> Self {
        let sent = Arc::new(Sent::default());
        let outlet = Arc::clone(&sent) as Arc<dyn Outlet>;
        let needs = Needs { cache: cache.clone(), node_id, outlet, ..Needs::default() };
        let Services { cache, clock, ids, im, users, lives, .. } = Services::over(&db, needs).await;
        let hour = Duration::from_secs(3600);
        let lease = NodeLease::acquire(&db, node_id, hour, ids, || None).await.unwrap();
        let likes = Likes::new(like::Parts {
            db: db.clone(),
            cache: cache.clone(),
            clock,
            lives: lives.clone(),
            users: users.clone(),
            im,
            given: like::register_given(&Registry::new()).unwrap(),
        });
        Self { db, cache, lives, users, likes, sent, _lease: lease }
    }

    /// A live room with these viewers; answers its id.
    pub async fn room(&self, viewers: &[&str]) -> String {
        let anchor = format!("anchor-{:08x}", rand::random::<u32>());
        self.users.find_or_register(&anchor).await.unwrap();
        let new = serde_json::from_value(json!({"title": "likes"})).unwrap();
        let live_id = self.lives.create(&anchor, new).await.unwrap().live_id;
        self.lives.start(&live_id, &anchor).await.unwrap();
        for viewer in viewers {
            self.users.find_or_register(viewer).await.unwrap();
            self.lives.join(&live_id, viewer).await.unwrap();
        }
        live_id
    }

    /// (mine, total) after likes of one in the room.
    pub async fn give(&self, live_id: &str, user_id: &str, count: i64) -> (i64, i64) {
        let likes = self.likes.give(live_id, user_id, count).await.unwrap();
        (likes.count, likes.total)
    }

    /// The likes that the table has of a room: (user, count), in order of users.
    pub async fn stored(&self, live_id: &str) -> Vec<(String, i32)> {
        let rows = stats_single_live::Entity::find().all(self.db.writer()).await.unwrap();
        let theirs =
            rows.into_iter().filter(|row| row.kind == Some(6) && row.live_id.as_deref() == Some(live_id));
        let mut likes: Vec<_> = theirs.map(|row| (row.user_id.unwrap(), row.count.unwrap())).collect();
        likes.sort();
        likes
    }

    /// Writes a row of likes, as of an earlier time.
    pub async fn store(&self, live_id: &str, user_id: &str, count: i32) {
        let row = stats_single_live::ActiveModel {
            live_id: sea_orm::ActiveValue::Set(Some(live_id.to_owned())),
            user_id: sea_orm::ActiveValue::Set(Some(user_id.to_owned())),
            biz_id: sea_orm::ActiveValue::Set(Some(String::new())),
            kind: sea_orm::ActiveValue::Set(Some(6)),
            count: sea_orm::ActiveValue::Set(Some(count)),
            ..Default::default()
        };
        stats_single_live::Entity::insert(row).exec_without_returning(self.db.writer()).await.unwrap();
    }
}
