//! Puts viewers into rooms at once, past the API: 100,000 joins one by one would take longer than the time-out
//! that is to be measured, and the first would be out before the last is in.
//!
//! Written is what joins leave behind: a row of `live_users` and of `live_room_user_entities` each (the columns
//! of the reference's `live.sql`, and `mic_seat`: they hold no seat), and presence in the cache
//! ([`crate::presence::Presence::put_in`]).

use std::time::Instant;

use anyhow::Result;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::bed::NOW;

/// Writes the rows of users and memberships, over MariaDB's sequence tables.
pub async fn put_in_rows(database: &mut MySqlConnection, rooms: &[&str], viewers: u32) -> Result<()> {
    let begin = Instant::now();
    let last = viewers.saturating_sub(1);
    let name = "CONCAT('silent-', LPAD(seq, 7, '0'))";
    let users = format!(
        "INSERT INTO live_users (user_id, nick, avatar, created_at, updated_at) \
         SELECT {name}, {name}, '', {NOW}, {NOW} FROM seq_0_to_{last}"
    );
    database.execute(sqlx::raw_sql(AssertSqlSafe(users))).await?;
    // Room ids are decimal numbers: nothing to escape.
    let values: Vec<String> =
        rooms.iter().zip(0_u32..).map(|(room, number)| format!("({number}, '{room}')")).collect();
    let table =
        "CREATE TEMPORARY TABLE bench_rooms (number INT PRIMARY KEY, live_id VARCHAR(64)) CHARSET utf8mb4";
    database.execute(sqlx::raw_sql(table)).await?;
    let fill = format!("INSERT INTO bench_rooms VALUES {}", values.join(", "));
    database.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await?;
    let members = format!(
        "INSERT INTO live_room_user_entities (live_id, user_id, status, heart_beat_at, created_at, updated_at, \
         mic_seat) SELECT live_id, {name}, 1, {NOW}, {NOW}, {NOW}, 0 \
         FROM seq_0_to_{last} JOIN bench_rooms ON number = seq MOD {}",
        rooms.len()
    );
    database.execute(sqlx::raw_sql(AssertSqlSafe(members))).await?;
    // A table that grew by and by has statistics.
    database.execute(sqlx::raw_sql("ANALYZE TABLE live_users, live_room_user_entities")).await?;
    eprintln!("  rows took {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
