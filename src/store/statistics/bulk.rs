//! Many counts in one statement.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::CountKey;
use crate::store::db::{Db, Dialect, StoreError};

/// How many rows one statement takes.
pub const ROWS: usize = 1000;

/// The largest count that the column holds.
const LARGEST: i64 = 2_147_483_647;

/// What becomes of a row that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The count is added; the sum stops at the largest that the column holds.
    Add,
    /// The count becomes this one, unless it is larger.
    Raise,
}

/// A count to write; larger ones are written as the largest that the column holds.
#[derive(Clone, Copy, Debug)]
pub struct CountRow<'a> {
    /// What it belongs to.
    pub key: CountKey<'a>,
    /// The count; not negative.
    pub count: i64,
}

/// Writes counts of different keys, [`ROWS`] in a statement. Rows of several writers come in one
/// order, so that these do not lock each other out.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn put_all(
    db: &Db,
    tx: &impl ConnectionTrait,
    merge: Merge,
    rows: &[CountRow<'_>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut rows: Vec<&CountRow<'_>> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| {
        let CountKey { statistic, live_id, user_id, biz_id } = row.key;
        (statistic.column(), live_id, user_id, biz_id)
    });
    for rows in rows.chunks(ROWS) {
        tx.execute_raw(statement(db, merge, rows, now)).await?;
    }
    Ok(())
}

fn statement(db: &Db, merge: Merge, rows: &[&CountRow<'_>], now: DateTime<Utc>) -> Statement {
    let dialect = db.dialect();
    let on_conflict = match (dialect, merge) {
        (Dialect::MySql, Merge::Add) => {
            "ON DUPLICATE KEY UPDATE count = LEAST(COALESCE(count, 0) + VALUES(count), 2147483647), \
             updated_at = VALUES(updated_at)"
        }
        (Dialect::MySql, Merge::Raise) => {
            "ON DUPLICATE KEY UPDATE count = GREATEST(COALESCE(count, 0), VALUES(count)), \
             updated_at = VALUES(updated_at)"
        }
        (Dialect::Sqlite, Merge::Add) => {
            "ON CONFLICT (type, live_id, user_id, biz_id) DO UPDATE SET \
             count = MIN(COALESCE(count, 0) + excluded.count, 2147483647), updated_at = excluded.updated_at"
        }
        (Dialect::Sqlite, Merge::Raise) => {
            "ON CONFLICT (type, live_id, user_id, biz_id) DO UPDATE SET \
             count = MAX(COALESCE(count, 0), excluded.count), updated_at = excluded.updated_at"
        }
    };
    let sql = format!(
        "INSERT INTO stats_single_live (type, live_id, user_id, biz_id, count, updated_at) VALUES {} {on_conflict}",
        vec!["(?, ?, ?, ?, ?, ?)"; rows.len()].join(", ")
    );
    let values = rows.iter().flat_map(|row| -> [Value; 6] {
        let CountKey { statistic, live_id, user_id, biz_id } = row.key;
        [
            statistic.column().into(),
            live_id.into(),
            user_id.into(),
            biz_id.into(),
            row.count.min(LARGEST).into(),
            db.wall(now).into(),
        ]
    });
    Statement::from_sql_and_values(dialect.backend(), sql, values.collect::<Vec<Value>>())
}
