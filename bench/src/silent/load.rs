//! Puts viewers into rooms at once, past the API: 100,000 joins one by one would take longer than the time-out
//! that is to be measured, and the first would be out before the last is in.
//!
//! Written is what joins leave behind: a row of `live_users` and of `live_room_user_entities` each (the columns
//! of the reference's `live.sql`), and presence as `src/store/cache` keeps it: for each shard a sorted set
//! `{pN}:seen` of `live_id:user_id` by the time when they were last heard (ms), and a hash `{pN}:online` of
//! `live_id` → how many. Which shard a room is in is read from its anchor, who has joined through the API.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use anyhow::{Context, Result};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::bed::Redis;

const SEEN: &str = ":seen";
const ONLINE: &str = ":online";
/// Wall-clock time in the zone that the benchmark's configuration names.
const NOW: &str = "UTC_TIMESTAMP() + INTERVAL 8 HOUR";

/// Presence, as the server keeps it in the cache.
#[derive(Debug)]
pub struct Presence {
    connection: MultiplexedConnection,
    /// The sorted set of each room, by the members that are in it.
    shards: HashMap<String, String>,
}

impl Presence {
    /// Finds the sorted sets.
    pub async fn find(cache: &Redis) -> Result<Self> {
        let mut connection = cache.connect().await?;
        let keys: Vec<String> = connection.keys(format!("*{SEEN}")).await?;
        let mut shards = HashMap::new();
        for key in keys {
            let members: Vec<String> = connection.zrange(&key, 0, -1).await?;
            for member in members {
                if let Some((room, _)) = member.split_once(':') {
                    shards.insert(room.to_owned(), key.clone());
                }
            }
        }
        Ok(Self { connection, shards })
    }

    /// How many are in any room.
    pub async fn count(&mut self) -> Result<u64> {
        let keys: BTreeSet<&String> = self.shards.values().collect();
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.zcard(key);
        }
        let counts: Vec<u64> = pipe.query_async(&mut self.connection).await?;
        Ok(counts.into_iter().sum())
    }

    /// Puts `viewers` users `silent-…` into `rooms` in turn, all heard at the same millisecond: the answer.
    pub async fn put_in(&mut self, rooms: &[&str], viewers: u32) -> Result<Instant> {
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut self.connection).await?;
        let heard = Instant::now();
        let now = seconds * 1000 + micros / 1000;
        for (room, first) in rooms.iter().zip(0_u32..) {
            let seen = self.shards.get(*room);
            let seen = seen.with_context(|| format!("the anchor of room {room} is not in the cache"))?;
            let online = format!("{}{ONLINE}", seen.trim_end_matches(SEEN));
            let theirs = (first..viewers).step_by(rooms.len());
            let members: Vec<(u64, String)> =
                theirs.map(|viewer| (now, format!("{room}:silent-{viewer:07}"))).collect();
            if members.is_empty() {
                continue;
            }
            let mut pipe = redis::pipe();
            pipe.zadd_multiple(seen, &members).ignore().hincr(&online, room, members.len()).ignore();
            () = pipe.query_async(&mut self.connection).await?;
        }
        eprintln!("  presence took {:.1} s", heard.elapsed().as_secs_f64());
        Ok(heard)
    }
}

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
        "INSERT INTO live_room_user_entities (live_id, user_id, status, heart_beat_at, created_at, updated_at) \
         SELECT live_id, {name}, 1, {NOW}, {NOW}, {NOW} \
         FROM seq_0_to_{last} JOIN bench_rooms ON number = seq MOD {}",
        rooms.len()
    );
    database.execute(sqlx::raw_sql(AssertSqlSafe(members))).await?;
    // A table that grew by and by has statistics.
    database.execute(sqlx::raw_sql("ANALYZE TABLE live_users, live_room_user_entities")).await?;
    eprintln!("  rows took {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
