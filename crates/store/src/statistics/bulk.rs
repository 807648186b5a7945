//! Many counts in one statement.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::CountKey;
use super::known::{Collations, KnownRows};
use crate::db::{Db, Dialect, StoreError};

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

/// Writes counts of different keys, [`ROWS`] in a statement: those of `known` apart from others. Rows
/// of several writers come in one order, so that these do not lock each other out.
///
/// # Errors
/// When the database refuses or cannot be reached. [`StoreError::Contended`] when a row of `known`
/// that is added to has gone: the transaction is then to be done again from the start.
pub async fn put_all(
    db: &Db,
    tx: &impl ConnectionTrait,
    known: &KnownRows,
    merge: Merge,
    rows: &[CountRow<'_>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut rows: Vec<&CountRow<'_>> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| order(row.key));
    let (old, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| known.has(db, row.key));
    for rows in old.chunks(ROWS) {
        if change(db, tx, known, merge, rows, now).await? {
            continue;
        }
        if merge == Merge::Add {
            rows.iter().for_each(|row| known.forget(row.key));
            return Err(StoreError::Contended { reason: "a count that was there has gone".to_owned() });
        }
        tx.execute_raw(upsert(db, merge, rows, now)).await?;
    }
    for rows in new.chunks(ROWS) {
        tx.execute_raw(upsert(db, merge, rows, now)).await?;
        rows.iter().for_each(|row| known.note(row.key));
    }
    Ok(())
}

fn order<'a>(key: CountKey<'a>) -> (i32, &'a str, &'a str, &'a str) {
    (key.statistic.column(), key.live_id, key.user_id, key.biz_id)
}

/// Changes rows on MySQL; whether all were there. The values come as one text, so that the statement
/// is the same for any number of them, and compare as the columns do, so that the key is used.
async fn change(
    db: &Db,
    tx: &impl ConnectionTrait,
    known: &KnownRows,
    merge: Merge,
    rows: &[&CountRow<'_>],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Collations { live_id, user_id, biz_id } = known.collations(db, tx).await?;
    let count = match merge {
        Merge::Add => "LEAST(COALESCE(s.count, 0) + v.n, 2147483647)",
        Merge::Raise => "GREATEST(COALESCE(s.count, 0), v.n)",
    };
    let sql = format!(
        "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (kind INT PATH '$[0]', live_id VARCHAR(255) PATH '$[1]', \
           user_id VARCHAR(255) PATH '$[2]', biz_id VARCHAR(255) PATH '$[3]', n BIGINT PATH '$[4]')) v \
         STRAIGHT_JOIN stats_single_live s ON s.type = v.kind \
         AND s.live_id = {} AND s.user_id = {} AND s.biz_id = {} \
         SET s.count = {count}, s.updated_at = ?",
        compared_as("v.live_id", live_id),
        compared_as("v.user_id", user_id),
        compared_as("v.biz_id", biz_id),
    );
    let cells = rows.iter().map(|row| {
        let (kind, live_id, user_id, biz_id) = order(row.key);
        (kind, live_id, user_id, biz_id, row.count.min(LARGEST))
    });
    let cells: Vec<_> = cells.collect();
    let cells = serde_json::to_string(&cells).map_err(|error| StoreError::Setup(error.to_string()))?;
    let values: [Value; 2] = [cells.into(), db.wall(now).into()];
    let done = tx.execute_raw(Statement::from_sql_and_values(db.dialect().backend(), sql, values)).await?;
    Ok(usize::try_from(done.rows_affected()).is_ok_and(|found| found == rows.len()))
}

/// `value` in the character set and collation of a column. A collation's name begins with its set's.
fn compared_as(value: &str, collation: &str) -> String {
    let charset = collation.split('_').next().unwrap_or_default();
    format!("CONVERT({value} USING {charset}) COLLATE {collation}")
}

fn upsert(db: &Db, merge: Merge, rows: &[&CountRow<'_>], now: DateTime<Utc>) -> Statement {
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
