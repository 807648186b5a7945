//! Events that wait for a server, past the API: what a business service that was down finds when it is back.
//!
//! Written are gifts, as `src/event/append.rs` would: rows of `event_log` numbered 1, 2, 3 … in each room, and for
//! each room a row of `room_lane` that is due for callbacks, and done with as far as reactions go.

use std::time::Instant;

use anyhow::{Result, bail};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::Scene;
use crate::bed::NOW;

/// What the ids of these rooms start with.
pub const PREFIX: &str = "lane-";

/// Writes the rows, over MariaDB's sequence tables.
pub async fn put_in(database: &mut MySqlConnection, scene: Scene) -> Result<()> {
    let begin = Instant::now();
    let Scene { events, rooms } = scene;
    if events == 0 || events % rooms != 0 {
        bail!("{events} events cannot be spread evenly over {rooms} rooms");
    }
    let (last, last_room, per_room) = (events - 1, rooms - 1, events / rooms);
    let room = format!("CONCAT('{PREFIX}', LPAD(seq MOD {rooms}, 6, '0'))");
    let body = format!(
        "CONCAT('{{\"biz_id\":\"', seq, '\",\"user_id\":\"viewer-000001\",\"live_id\":\"', {room}, \
         '\",\"anchor_id\":\"anchor-000001\",\"gift_id\":1,\"amount\":5,\"status\":1}}')"
    );
    let log = format!(
        "INSERT INTO event_log (live_id, seq, kind, body, created_at) \
         SELECT {room}, seq DIV {rooms} + 1, 'gift_sent', {body}, {NOW} FROM seq_0_to_{last}"
    );
    let lanes = format!(
        "INSERT INTO room_lane (live_id, seq, callback_done, callback_due, reaction_done) \
         SELECT {room}, {per_room}, 0, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000, \
         {per_room} FROM seq_0_to_{last_room}"
    );
    for statement in [log, lanes, "ANALYZE TABLE event_log, room_lane".to_owned()] {
        database.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    eprintln!("  rows took {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
