//! Many likes wait to be written: how many statements that takes, and how long.
//!
//! They are put into the cache past the API, since the job that writes them runs every second: likes that come one
//! by one would be written by several runs. The layout is that of `crates/store/src/cache/keys.rs`: for each room a hash
//! `like:<room>` of its users' counts, with the sum under `_`; a set `{like:<room>}:dirty` of the users who are
//! not written; and for each shard of rooms a sorted set `{pN}:liked` of those that may have such users. A job
//! looks into rooms of that last set alone, which is why all are put there at once, when the rest is in place.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;
use tokio::time::sleep;

use crate::bed::Bed;
use crate::figures::round;
use crate::fixture::Room;
use crate::presence::Presence;
use crate::probe::statements::{self, Logged};
use crate::report::{FlushFigures, FlushRound};

/// The measurement's name on the command line.
pub const NAME: &str = "flush_likes";
/// Users who liked in each room.
const USERS: u64 = 100;
const ROOMS: usize = 100;
/// Likes of each user: all rows are new, then all are raised.
const COUNTS: [u64; 2] = [1, 3];
const POLL: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);
const WRITTEN: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(count), 0) AS SIGNED) FROM stats_single_live \
     WHERE type = 6 AND user_id LIKE 'liker-%'";
/// How statements begin that write likes: new ones, and those that are raised.
const WRITES: [&str; 2] = ["INSERT INTO stats_single_live ", "UPDATE JSON_TABLE("];
/// Likes that were given before are written by then.
const REST: Duration = Duration::from_secs(2);

/// Has the job of the running server write likes of 10,000 users in 100 rooms, twice.
pub async fn measure(bed: &Bed, rooms: &[Room]) -> Result<FlushFigures> {
    let rooms: Vec<&str> = rooms.iter().take(ROOMS).map(|room| room.live_id.as_str()).collect();
    let likes = USERS * u64::try_from(rooms.len())?;
    let mut presence = Presence::find(&bed.cache).await?;
    let mut database = bed.database.connect().await?;
    let mut rounds = Vec::new();
    sleep(REST).await;
    for count in COUNTS {
        eprintln!("having {likes} likes written");
        put_in(&mut presence, &rooms, count).await?;
        rounds.push(flush(&mut presence, &mut database, &rooms).await?);
        expect_written(&mut database, likes, count * likes).await?;
    }
    Ok(FlushFigures { likes, rooms: rooms.len(), rounds })
}

/// Gives each user so many likes, of which no job hears yet.
async fn put_in(presence: &mut Presence, rooms: &[&str], count: u64) -> Result<()> {
    for room in rooms {
        let likes = format!("like:{room}");
        let users: Vec<String> = (0..USERS).map(|user| format!("liker-{user:06}")).collect();
        let counts: Vec<(&str, u64)> = users.iter().map(|user| (user.as_str(), count)).collect();
        let mut pipe = redis::pipe();
        pipe.hset_multiple(&likes, &counts).ignore();
        pipe.hincr(&likes, "_", count * USERS).ignore();
        pipe.set(format!("{{{likes}}}:seeded"), 1).ignore();
        pipe.sadd(dirty(room), &users).ignore();
        () = pipe.query_async(&mut presence.connection).await?;
    }
    Ok(())
}

/// Lets the job know of `rooms`, and waits until none has a like to write.
async fn flush(
    presence: &mut Presence,
    database: &mut MySqlConnection,
    rooms: &[&str],
) -> Result<FlushRound> {
    let now_ms = presence.now_ms().await?;
    let mut list = redis::pipe();
    list.atomic();
    for room in rooms {
        list.zadd(presence.key(room, "liked")?, room, now_ms).ignore();
    }
    let mut waiting = redis::pipe();
    for room in rooms {
        waiting.scard(dirty(room));
    }
    statements::begin(database).await?;
    let listed = Instant::now();
    () = list.query_async(&mut presence.connection).await?;
    loop {
        let left: Vec<u64> = waiting.query_async(&mut presence.connection).await?;
        if left.iter().all(|left| *left == 0) {
            break;
        }
        if listed.elapsed() > PATIENCE {
            bail!("likes are not written: the layout of likes in the cache has changed, see flush.rs");
        }
        sleep(POLL).await;
    }
    let all_s = listed.elapsed().as_secs_f64();
    let end = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    let logged = statements::end(database).await?;
    let (statements, first) = writes(&logged);
    let first = first.context("likes were taken off the cache, and no statement wrote them")?;
    Ok(FlushRound { statements, all_s: round(all_s, 3), writing_s: round(end - first, 3) })
}

fn dirty(room: &str) -> String {
    format!("{{like:{room}}}:dirty")
}

/// How many statements wrote likes, and when the first of them began.
fn writes(logged: &[Logged]) -> (u64, Option<f64>) {
    let mut writes = logged.iter().filter(|logged| WRITES.iter().any(|begin| logged.text.starts_with(begin)));
    let first = writes.next().map(|first| first.at);
    (u64::from(first.is_some()) + writes.map(|_| 1).sum::<u64>(), first)
}

/// What left the cache must be in the database.
async fn expect_written(database: &mut MySqlConnection, rows: u64, sum: u64) -> Result<()> {
    let row = sqlx::query(WRITTEN).fetch_one(database).await?;
    let written = (u64::try_from(row.try_get::<i64, _>(0)?)?, u64::try_from(row.try_get::<i64, _>(1)?)?);
    if written != (rows, sum) {
        bail!("{} rows with {} likes are written, not {rows} with {sum}", written.0, written.1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_that_write_likes_count() {
        let logged = |text: &str, at| Logged { text: text.to_owned(), at };
        let all = [
            logged("BEGIN", 1.0),
            logged("SELECT owner, token FROM leader_lease", 1.5),
            logged("INSERT INTO stats_single_live (type, live_id) VALUES (6, '7')", 2.0),
            logged("UPDATE JSON_TABLE('[]', '$[*]' COLUMNS (kind INT PATH '$[0]')) v", 3.0),
        ];
        assert_eq!(writes(&all), (2, Some(2.0)));
        assert_eq!(writes(&[]), (0, None));
    }
}
