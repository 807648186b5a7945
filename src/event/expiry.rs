//! Dropping events that are old and that every consumer is done with.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value};

use super::group::GROUPS;
use store::db::{Db, RetryableError, StoreError, Tx, WallTime};
use store::entity::event_log;
use store::fence::{Fence, LeaseLost};

/// Events that one transaction looks at.
const BATCH: usize = 1000;

/// Why events could not be dropped.
#[derive(Debug, thiserror::Error)]
pub enum ExpiryError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This node does not lead any more.
    #[error(transparent)]
    Lost(#[from] LeaseLost),
}

impl RetryableError for ExpiryError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) | Self::Lost(LeaseLost::Store(error)) if error.is_retryable())
    }
}

/// Deletes the events that happened more than `keep` before `now`, but those that a consumer still has
/// before it; answers how many. Each of the old ones is read once, but for
/// those of one second, which may be passed again. Lanes stay: a number must never be given twice.
///
/// # Errors
/// When this node does not lead any more, or the store's; what was deleted before stays so.
pub async fn drop_expired(
    db: &Db,
    fence: &dyn Fence,
    now: DateTime<Utc>,
    keep: Duration,
) -> Result<u64, ExpiryError> {
    let before = db.wall(now - keep);
    let (mut dropped, mut after) = (0, None);
    loop {
        let page = db.transaction(|tx| {
            Box::pin(async move {
                fence.check(tx).await?;
                let page = Page::read(tx, before, after).await?;
                Ok::<_, ExpiryError>((page.drop_settled(tx).await?, page.end))
            })
        });
        let (count, end) = page.await?;
        dropped += count;
        if end.is_none() {
            return Ok(dropped);
        }
        after = end;
    }
}

/// A place in the order of time: when an event happened, and its row.
type Place = (WallTime, i64);

/// Old events, in the order of time.
struct Page {
    /// Those that every consumer is done with.
    settled: Vec<i64>,
    /// The place of the last one, when there may be more: what stays behind is not looked at again.
    end: Option<Place>,
}

impl Page {
    async fn read(tx: &Tx<'_>, before: WallTime, after: Option<Place>) -> Result<Self, StoreError> {
        // A consumer that never had anything to do with a lane has nothing before it there.
        let behind = GROUPS.map(|group| format!("e.seq <= COALESCE(l.{}, l.seq)", group.done));
        // The outer join keeps MySQL to the order of the index; its first comparison is for SQLite, the
        // other two are for MySQL, so that both begin to read at the place.
        let sql = format!(
            "SELECT e.id, e.created_at, COALESCE({}, 0) AS is_settled \
             FROM event_log AS e LEFT JOIN room_lane AS l ON l.live_id = e.live_id \
             WHERE e.created_at < ? {} ORDER BY e.created_at, e.id LIMIT {BATCH}",
            behind.join(" AND "),
            after.map_or("", |_| {
                "AND e.created_at >= ? AND (e.created_at > ? OR (e.created_at = ? AND e.id > ?))"
            }),
        );
        let mut values: Vec<Value> = vec![before.into()];
        if let Some((at, id)) = after {
            values.extend([at.into(), at.into(), at.into(), id.into()]);
        }
        let rows = tx.query_all_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values));
        let (mut settled, mut end) = (Vec::new(), None);
        let rows = rows.await?;
        for row in &rows {
            let id = row.try_get("", "id")?;
            if row.try_get::<i32>("", "is_settled")? != 0 {
                settled.push(id);
            }
            end = Some((row.try_get("", "created_at")?, id));
        }
        Ok(Self { settled, end: end.filter(|_| rows.len() == BATCH) })
    }

    async fn drop_settled(&self, tx: &Tx<'_>) -> Result<u64, StoreError> {
        if self.settled.is_empty() {
            return Ok(0);
        }
        let settled = event_log::Column::Id.is_in(self.settled.iter().copied());
        Ok(event_log::Entity::delete_many().filter(settled).exec(tx).await?.rows_affected)
    }
}
