//! A room that sells, without a server around it, under a clock that stands still.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::clock::{ManualClock, SharedClock};
use config::{MysqlConfig, PiliConfig, Secret};
use liveloom::auth::Credentials;
use liveloom::event::{DomainEvent, append};
use liveloom::item::{self, Items, NewItem};
use liveloom::media::PiliSaveAs;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use store::db::Db;
use store::entity::{event_log, item_demonstrate_log as log};

use crate::support::database::TestDatabase;
use crate::support::fake_pili::FakePili;
use crate::support::services::{Needs, Services};

pub const LIVE_ID: &str = "1556829451990339584";
pub const ANCHOR: Option<&str> = Some("anchor");
/// An event that is later than all others.
pub const LATEST: i64 = i64::MAX;
const KEYS: (&str, &str) = ("bed-ak", "bed-sk");

/// The room, what is around it, and the media service.
pub struct Bed {
    pub items: Items,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub pili: FakePili,
    _database: TestDatabase,
}

pub fn noon() -> DateTime<Utc> {
    "2026-05-06T12:00:00Z".parse().unwrap()
}

impl Bed {
    /// A live room over SQLite, or over MariaDB.
    pub async fn new(is_embedded: bool) -> Self {
        let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
        let config = database.config();
        Self::over(database, &config).await
    }

    /// A live room over a database, reached through `mysql`.
    pub async fn over(database: TestDatabase, mysql: &MysqlConfig) -> Self {
        let db = database.open(mysql).await.unwrap();
        db.migrate().await.unwrap();
        let insert = format!(
            "INSERT INTO live_entities (live_id, title, anchor_id, status) VALUES ('{LIVE_ID}', 't', 'anchor', 1)"
        );
        db.writer().execute_unprepared(&insert).await.unwrap();
        let clock = ManualClock::new(noon());
        let pili = FakePili::start("hub", KEYS).await;
        let items = items(&db, clock.clone(), &pili).await;
        Self { items, db, clock, pili, _database: database }
    }

    /// Adds shown items of these ids.
    pub async fn stock(&self, ids: &[&str]) {
        let items: Vec<NewItem> = ids.iter().map(|id| new_item(id)).collect();
        self.items.add(LIVE_ID, ANCHOR, &items).await.unwrap();
    }

    /// The item that is explained.
    pub async fn demonstrated(&self) -> Option<String> {
        let shown = self.items.demonstrated(LIVE_ID, None).await.unwrap();
        shown.map(|item| item.item_id)
    }

    /// Items and states of the recordings.
    pub async fn records(&self) -> Vec<(String, i32)> {
        let wanted = log::Entity::find().filter(log::Column::LiveId.eq(LIVE_ID));
        let rows = wanted.order_by_asc(log::Column::Id).all(self.db.writer()).await.unwrap();
        rows.into_iter().map(|row| (row.item_id.unwrap(), row.status.unwrap())).collect()
    }

    /// The anchor leaves, to which nothing reacts here; the place of the event.
    pub async fn anchor_leaves(&self) -> i64 {
        let db = &self.db;
        let left = db.transaction(|tx| {
            Box::pin(async move { append(tx, db, LIVE_ID, &DomainEvent::AnchorLeft, noon()).await })
        });
        left.await.unwrap().try_into().unwrap()
    }

    /// As if all reactions to the events so far had been made.
    pub async fn react_to_all(&self) {
        self.db.writer().execute_unprepared("UPDATE room_lane SET reaction_done = seq").await.unwrap();
    }

    /// The events of the room.
    pub async fn events(&self) -> Vec<DomainEvent> {
        let wanted = event_log::Entity::find().order_by_asc(event_log::Column::Seq);
        let rows = wanted.all(self.db.writer()).await.unwrap();
        rows.iter().map(|row| DomainEvent::decode(&row.kind, &row.body).unwrap()).collect()
    }
}

/// A shown item with the least of fields.
pub fn new_item(id: &str) -> NewItem {
    let item = json!({"item_id": id, "title": "t", "current_price": "1", "status": 1});
    serde_json::from_value(item).unwrap()
}

async fn items(db: &Db, clock: SharedClock, pili: &FakePili) -> Items {
    let keys = Credentials { access_key: KEYS.0.to_owned(), secret_key: Secret::new(KEYS.1) };
    let config = PiliConfig {
        hub: "hub".to_owned(),
        playback_url: "https://playback.example".to_owned(),
        stream_pattern: "live-%s".to_owned(),
        api_url: pili.url(),
        ..PiliConfig::default()
    };
    let needs = Needs { clock, keys: keys.clone(), pili: config.clone(), ..Needs::default() };
    let Services { clock, lives, pili, .. } = Services::over(db, needs).await;
    let save_as = PiliSaveAs::new(&config, keys).unwrap();
    Items::new(item::Parts { db: db.clone(), clock, lives, pili, save_as })
}
