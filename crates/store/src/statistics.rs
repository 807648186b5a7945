//! The counts in `stats_single_live`, to which several features add.

mod bulk;
mod known;

use std::num::NonZeroI64;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_repr::{Deserialize_repr, Serialize_repr};

use super::db::{Added, Db, StoreError, UpsertAdd, increase, upsert_add};

pub use bulk::{CountRow, Merge, ROWS, put_all};
pub use known::KnownRows;

/// What is counted: the column `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize_repr, Deserialize_repr)]
#[repr(i32)]
pub enum Statistic {
    /// Views of the live: one for each join.
    Live = 1,
    /// Clicks on items, reported by clients.
    Item = 2,
    /// Comments, reported by clients.
    Comment = 3,
    /// PKs, reported by clients.
    Relay = 4,
    /// Microphone seats, reported by clients.
    Mic = 5,
    /// Likes.
    Like = 6,
    /// What gifts were worth.
    Gift = 7,
}

impl Statistic {
    /// The number that is stored.
    #[must_use]
    pub fn column(self) -> i32 {
        self as i32
    }
}

/// What a count belongs to.
#[derive(Clone, Copy, Debug)]
pub struct CountKey<'a> {
    /// What is counted.
    pub statistic: Statistic,
    /// The room.
    pub live_id: &'a str,
    /// The user who did it.
    pub user_id: &'a str,
    /// What it was done to: an item, the anchor who got a gift, or empty.
    pub biz_id: &'a str,
}

/// Adds to one count, inside the transaction of what is counted. One statement on MySQL, unless a row
/// of `known` has gone.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn add(
    db: &Db,
    tx: &impl ConnectionTrait,
    known: &KnownRows,
    key: CountKey<'_>,
    by: NonZeroI64,
    now: DateTime<Utc>,
) -> Result<Added, StoreError> {
    let row = UpsertAdd {
        table: "stats_single_live",
        key: vec![
            ("type", key.statistic.column().into()),
            ("live_id", key.live_id.into()),
            ("user_id", key.user_id.into()),
            ("biz_id", key.biz_id.into()),
        ],
        counter: "count",
        by,
        set: vec![("updated_at", db.wall(now).into())],
    };
    if known.has(db, key) && increase(tx, &row).await? {
        return Ok(Added::Increased);
    }
    let added = upsert_add(tx, row).await?;
    known.note(key);
    Ok(added)
}
