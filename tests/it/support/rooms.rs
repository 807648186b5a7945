//! Rooms, seats and PKs in this process, over a database and a cache of their own: for races, which
//! are decided in the services.

use std::sync::Arc;

use common::clock::SharedClock;
use config::{CacheConfig, RedisConfig, RtcConfig, Secret};
use liveloom::auth::Credentials;
use liveloom::event::DomainEvent;
use liveloom::live::{CreateRoom, Lives};
use liveloom::media::RtcRooms;
use liveloom::mic::{self, Mics};
use liveloom::relay::{self, Relays};
use liveloom::user::Users;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use store::cache::Cache;
use store::db::Db;
use store::entity::event_log;

use super::database::TestDatabase;
use super::env;
use super::services::{Needs, Services};

/// The services and what they stand on.
pub struct Rooms {
    pub db: Db,
    pub cache: Cache,
    clock: SharedClock,
    pub users: Users,
    pub lives: Lives,
    pub mics: Mics,
    pub relays: Relays,
    database: TestDatabase,
}

impl Rooms {
    /// On SQLite and memory, or on MariaDB and Redis.
    pub async fn start(is_embedded: bool) -> Self {
        let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
        let db = database.migrated().await;
        Self::over(database, db).await
    }

    /// On MariaDB, through one connection alone, whose statements can be counted.
    pub async fn on_one_connection() -> Self {
        let database = TestDatabase::create().await;
        let mut config = database.config();
        for entry in &mut config.databases {
            (entry.max_open_conns, entry.max_idle_conns) = (1, 1);
        }
        let db = database.open(&config).await.expect("the test database opens");
        db.migrate().await.expect("the tables are made");
        Self::over(database, db).await
    }

    async fn over(database: TestDatabase, db: Db) -> Self {
        let cache = cache_config(database.schema());
        let keys = Credentials { access_key: "test-ak".to_owned(), secret_key: Secret::new("test-sk") };
        let needs = Needs { cache, keys: keys.clone(), ..Needs::default() };
        let Services { cache, clock, ids, users, tokens, lives, .. } = Services::over(&db, needs).await;
        let mics = Mics::new(mic::Parts {
            db: db.clone(),
            clock: Arc::clone(&clock),
            lives: lives.clone(),
            users: users.clone(),
            tokens: Arc::clone(&tokens),
            rtc: RtcRooms::new(&RtcConfig::default(), keys).unwrap(),
        });
        let relays = Relays::new(relay::Parts {
            db: db.clone(),
            clock: Arc::clone(&clock),
            ids,
            lives: lives.clone(),
            tokens,
        });
        Self { db, cache, clock, users, lives, mics, relays, database }
    }

    /// What they stand on.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The cache, as another node over the same stores is connected to it.
    pub async fn cache_of_another_node(&self) -> Cache {
        Cache::connect(&cache_config(self.database.schema()), Arc::clone(&self.clock)).await.unwrap()
    }

    /// The live room of a new anchor, who is in it.
    pub async fn live(&self, anchor: &str) -> String {
        let live_id = self.created(anchor).await;
        self.lives.start(&live_id, anchor).await.unwrap();
        live_id
    }

    /// A room of a new anchor.
    pub async fn created(&self, anchor: &str) -> String {
        self.users.find_or_register(anchor).await.unwrap();
        let new = CreateRoom {
            title: "room".to_owned(),
            notice: None,
            cover_url: None,
            extends: None,
            start_at: None,
            end_at: None,
            publish_expire_at: None,
        };
        self.lives.create(anchor, new).await.unwrap().live_id
    }

    /// Brings a new user into a room.
    pub async fn join(&self, user: &str, live_id: &str) {
        self.users.find_or_register(user).await.unwrap();
        self.lives.join(live_id, user).await.unwrap();
    }

    /// What happened in a room.
    pub async fn events(&self, live_id: &str) -> Vec<DomainEvent> {
        let rows = event_log::Entity::find().filter(event_log::Column::LiveId.eq(live_id));
        let rows = rows.order_by_asc(event_log::Column::Seq).all(self.db.writer()).await.unwrap();
        rows.iter().map(|row| DomainEvent::decode(&row.kind, &row.body).unwrap()).collect()
    }
}

/// Memory without a schema, else this run's Redis.
pub fn cache_config(schema: &str) -> CacheConfig {
    if schema.is_empty() {
        return CacheConfig::Memory;
    }
    let key_prefix = format!("{schema}:");
    CacheConfig::Node(RedisConfig { addrs: vec![env::redis()], key_prefix, ..RedisConfig::default() })
}
