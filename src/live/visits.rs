//! Views of rooms: the rows of type 1 in `stats_single_live`, and figures counted from tables.

use std::collections::HashMap;
use std::num::NonZeroI64;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::dto::RoomFigures;
use super::members::counters_of;
use store::cache::Counters;
use store::db::{Added, Db, StoreError};
use store::statistics::{self, CountKey, KnownRows, Statistic};

const ONE: NonZeroI64 = NonZeroI64::new(1).unwrap();

/// Counts one view of a room by a user; whether it was their first.
pub async fn add(
    db: &Db,
    tx: &impl ConnectionTrait,
    known: &KnownRows,
    live_id: &str,
    user_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let view = CountKey { statistic: Statistic::Live, live_id, user_id, biz_id: "" };
    Ok(statistics::add(db, tx, known, view, ONE, now).await? == Added::Inserted)
}

/// The counters of rooms, in one statement; rooms without any row are left out.
pub async fn counters(
    conn: &impl ConnectionTrait,
    live_ids: &[&str],
) -> Result<HashMap<String, Counters>, StoreError> {
    let places = places(live_ids.len());
    let sql = format!(
        "SELECT live_id, CAST(SUM(pv) AS SIGNED) pv, CAST(SUM(uv) AS SIGNED) uv, CAST(SUM(mics) AS SIGNED) mics FROM (\
           SELECT live_id, SUM(count) pv, COUNT(DISTINCT user_id) uv, 0 mics FROM stats_single_live \
           WHERE type = 1 AND live_id IN ({places}) GROUP BY live_id \
           UNION ALL \
           SELECT live_id, 0, 0, COUNT(*) FROM live_mic_entities \
           WHERE live_id IN ({places}) AND status = 0 AND deleted_at IS NULL GROUP BY live_id\
         ) counted GROUP BY live_id"
    );
    let values = live_ids.iter().chain(live_ids).map(|id| Value::from(*id));
    let rows =
        conn.query_all_raw(Statement::from_sql_and_values(conn.get_database_backend(), sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get("", "live_id")?, counters_of(row)?))).collect()
}

/// All figures of rooms from the tables alone, for when the cache is away; in the same order.
pub async fn figures(
    conn: &impl ConnectionTrait,
    rooms: &[(&str, &str)],
) -> Result<Vec<RoomFigures>, StoreError> {
    let ids: Vec<&str> = rooms.iter().map(|(live_id, _)| *live_id).collect();
    let counted = counters(conn, &ids).await?;
    let present = present(conn, &ids).await?;
    let figures = rooms.iter().map(|(live_id, _)| {
        let counters = counted.get(*live_id).copied().unwrap_or_default();
        let (online, anchor_in) = present.get(*live_id).copied().unwrap_or_default();
        RoomFigures { online, anchor_in, pv: counters.pv, uv: counters.uv, mics: counters.mics }
    });
    Ok(figures.collect())
}

/// How many users each room has, and whether its anchor is one of them.
async fn present(
    conn: &impl ConnectionTrait,
    live_ids: &[&str],
) -> Result<HashMap<String, (u64, bool)>, StoreError> {
    let sql = format!(
        "SELECT m.live_id, COUNT(*) online, MAX(CASE WHEN m.user_id = e.anchor_id THEN 1 ELSE 0 END) anchor_in \
         FROM live_room_user_entities m JOIN live_entities e ON e.live_id = m.live_id \
         WHERE m.status = 1 AND m.live_id IN ({}) GROUP BY m.live_id",
        places(live_ids.len())
    );
    let values = live_ids.iter().map(|id| Value::from(*id));
    let rows =
        conn.query_all_raw(Statement::from_sql_and_values(conn.get_database_backend(), sql, values)).await?;
    let mut present = HashMap::with_capacity(rows.len());
    for row in rows {
        let online: i64 = row.try_get("", "online")?;
        let anchor_in: i32 = row.try_get("", "anchor_in")?;
        present.insert(row.try_get("", "live_id")?, (online.unsigned_abs(), anchor_in != 0));
    }
    Ok(present)
}

/// `?, ?, ?`
fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}
