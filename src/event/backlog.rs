//! What waits in the lanes of a consumer.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement};

use super::group::Group;
use store::db::{Db, StoreError, WallTime};

/// What waits for a consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Rooms in which something waits.
    pub rooms: u64,
    /// Events that wait.
    pub events: u64,
}

/// What waits for `group`. One statement.
///
/// # Errors
/// When the database cannot be asked.
pub async fn backlog(db: &Db, group: Group) -> Result<Backlog, StoreError> {
    let Group { done, due, .. } = group;
    let sql = format!(
        "SELECT COUNT(*) AS rooms, CAST(COALESCE(SUM(seq - {done}), 0) AS SIGNED) AS events \
         FROM room_lane WHERE {due} IS NOT NULL"
    );
    let asked = Statement::from_string(db.dialect().backend(), sql);
    let Some(row) = db.reader_for(true).query_one_raw(asked).await? else { return Ok(Backlog::default()) };
    let (rooms, events): (i64, i64) = (row.try_get("", "rooms")?, row.try_get("", "events")?);
    Ok(Backlog {
        rooms: u64::try_from(rooms).unwrap_or_default(),
        events: u64::try_from(events).unwrap_or_default(),
    })
}

/// When the oldest event happened that waits for `group`; None when nothing waits. One statement.
///
/// # Errors
/// When the database cannot be asked.
pub async fn oldest_waiting(db: &Db, group: Group) -> Result<Option<DateTime<Utc>>, StoreError> {
    let Group { done, due, .. } = group;
    let sql = format!(
        "SELECT MIN(e.created_at) AS at FROM room_lane AS l JOIN event_log AS e \
         ON e.live_id = l.live_id AND e.seq = l.{done} + 1 WHERE l.{due} IS NOT NULL"
    );
    let asked = Statement::from_string(db.dialect().backend(), sql);
    let Some(row) = db.reader_for(true).query_one_raw(asked).await? else { return Ok(None) };
    Ok(row.try_get::<Option<WallTime>>("", "at")?.map(|at| db.instant(at)))
}
