//! Statements on `stats_single_live`, but for the writing, which is `store::statistics`.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, Statement, Value};

use store::db::{Db, StoreError, placeholders};

/// Sums and numbers of users of a room by type; types without any row are left out.
pub async fn figures(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
) -> Result<HashMap<i32, (i64, i64)>, StoreError> {
    let sql = format!(
        "SELECT type, CAST(COALESCE(SUM(count), 0) AS SIGNED) views, COUNT(DISTINCT {}) visitors \
         FROM stats_single_live WHERE live_id = ? AND {} = ? AND type BETWEEN 1 AND 7 GROUP BY type",
        db.dialect().bytewise("user_id"),
        db.dialect().bytewise("live_id"),
    );
    let values = [live_id.into(), live_id.into()];
    let rows =
        conn.query_all_raw(Statement::from_sql_and_values(db.dialect().backend(), sql, values)).await?;
    let figure = |row: &sea_orm::QueryResult| {
        Ok((row.try_get("", "type")?, (row.try_get("", "views")?, row.try_get("", "visitors")?)))
    };
    rows.iter().map(figure).collect()
}

/// One of `rooms` in which the reports of `user_id` have more than `limit` rows.
pub async fn room_beyond(
    db: &Db,
    conn: &impl ConnectionTrait,
    user_id: &str,
    rooms: &BTreeSet<&str>,
    limit: u32,
) -> Result<Option<String>, StoreError> {
    let sql = format!(
        "SELECT live_id FROM stats_single_live WHERE user_id = ? AND live_id IN ({}) AND type BETWEEN 2 AND 5 \
         GROUP BY live_id HAVING COUNT(*) > ? LIMIT 1",
        placeholders(rooms.len()),
    );
    let values = [Value::from(user_id)].into_iter().chain(rooms.iter().map(|room| Value::from(*room)));
    let values: Vec<Value> = values.chain([Value::from(limit)]).collect();
    let row = conn.query_one_raw(Statement::from_sql_and_values(db.dialect().backend(), sql, values)).await?;
    Ok(row.map(|row| row.try_get("", "live_id")).transpose()?)
}
