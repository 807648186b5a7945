//! Many counts in one statement.

use std::fmt::Write;

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
    // Texts of fixed forms only: no value is in them.
    let (head, row, between, tail) = match dialect {
        Dialect::MySql => mysql(merge),
        Dialect::Sqlite => sqlite(merge),
    };
    let mut sql = String::with_capacity(head.len() + rows.len() * (row.len() + between.len()) + tail.len());
    sql.push_str(head);
    for number in 0..rows.len() {
        // Writing to a string does not fail.
        let _ = write!(sql, "{}{row}", if number == 0 { "" } else { between });
    }
    sql.push_str(&tail);
    let values = rows.iter().flat_map(|row| {
        let CountKey { statistic, live_id, user_id, biz_id } = row.key;
        let key: [Value; 4] =
            [statistic.column().into(), live_id.into(), user_id.into(), biz_id.into()];
        // The number of the row is looked up by the same key.
        let looked_up = (dialect == Dialect::MySql).then(|| key.clone());
        let counted = [row.count.min(LARGEST).into(), db.wall(now).into()];
        looked_up.into_iter().flatten().chain(key).chain(counted)
    });
    Statement::from_sql_and_values(dialect.backend(), sql, values.collect::<Vec<Value>>())
}

type Parts = (&'static str, &'static str, &'static str, String);

/// Each row brings the number that it has, if it is there: an upsert without it would use up a new
/// number for each row that it only changes, and the column has 32 bits.
fn mysql(merge: Merge) -> Parts {
    let merged = match merge {
        Merge::Add => "LEAST(COALESCE(stats_single_live.count, 0) + VALUES(count), 2147483647)",
        Merge::Raise => "GREATEST(COALESCE(stats_single_live.count, 0), VALUES(count))",
    };
    (
        "INSERT INTO stats_single_live (id, type, live_id, user_id, biz_id, count, updated_at) ",
        "SELECT (SELECT s.id FROM stats_single_live s \
         WHERE s.type = ? AND s.live_id = ? AND s.user_id = ? AND s.biz_id = ?), ?, ?, ?, ?, ?, ?",
        " UNION ALL ",
        format!(" ON DUPLICATE KEY UPDATE count = {merged}, updated_at = VALUES(updated_at)"),
    )
}

fn sqlite(merge: Merge) -> Parts {
    let merged = match merge {
        Merge::Add => "MIN(COALESCE(count, 0) + excluded.count, 2147483647)",
        Merge::Raise => "MAX(COALESCE(count, 0), excluded.count)",
    };
    (
        "INSERT INTO stats_single_live (type, live_id, user_id, biz_id, count, updated_at) VALUES ",
        "(?, ?, ?, ?, ?, ?)",
        ", ",
        format!(
            " ON CONFLICT (type, live_id, user_id, biz_id) DO UPDATE SET count = {merged}, \
             updated_at = excluded.updated_at"
        ),
    )
}
