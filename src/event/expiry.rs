//! Dropping events that are old and that every consumer is done with.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use super::group::GROUPS;
use crate::store::db::{Db, RetryableError, StoreError, Tx};
use crate::store::entity::event_log;
use crate::store::fence::{Fence, LeaseLost};

/// Events of one transaction.
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
/// before it; answers how many. Lanes stay: a number must never be given twice.
///
/// # Errors
/// When this node does not lead any more, or the store's; what was deleted before stays so.
pub async fn drop_expired(
    db: &Db,
    fence: &dyn Fence,
    now: DateTime<Utc>,
    keep: Duration,
) -> Result<u64, ExpiryError> {
    let before = now - keep;
    let mut dropped = 0;
    loop {
        let batch = db.transaction(|tx| {
            Box::pin(async move {
                fence.check(tx).await?;
                let ids = expired(db, tx, before).await?;
                if ids.is_empty() {
                    return Ok(0);
                }
                let delete = event_log::Entity::delete_many().filter(event_log::Column::Id.is_in(ids));
                let deleted = delete.exec(tx).await.map_err(StoreError::from)?;
                Ok::<_, ExpiryError>(deleted.rows_affected)
            })
        });
        let count = batch.await?;
        dropped += count;
        if usize::try_from(count).unwrap_or(usize::MAX) < BATCH {
            return Ok(dropped);
        }
    }
}

async fn expired(db: &Db, tx: &Tx<'_>, before: DateTime<Utc>) -> Result<Vec<i64>, StoreError> {
    // A consumer that never had anything to do with a lane has nothing before it there.
    let behind = GROUPS.map(|group| format!("e.seq <= COALESCE(l.{}, l.seq)", group.done));
    let sql = format!(
        "SELECT e.id FROM event_log AS e JOIN room_lane AS l ON l.live_id = e.live_id \
         WHERE e.created_at < ? AND {} ORDER BY e.created_at LIMIT {BATCH}",
        behind.join(" AND ")
    );
    let values = [db.wall(before).into()];
    let asked = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(asked).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}
