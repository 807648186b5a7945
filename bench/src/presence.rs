//! Presence, as the server keeps it in the cache (`crates/store/src/cache/keys.rs`): for each shard a sorted set
//! `{pN}:seen` of `live_id:user_id` by the time when they were last heard (ms), and a hash `{pN}:online` of
//! `live_id` → how many. Which shard a room is in is read from its anchor, who has joined through the API.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use anyhow::{Context, Result};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use testbed::Redis;

const SEEN: &str = ":seen";

/// The rooms in the cache.
#[derive(Debug)]
pub struct Presence {
    /// A connection to the cache.
    pub connection: MultiplexedConnection,
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

    /// The key `name` of the shard that `room` is in.
    pub fn key(&self, room: &str, name: &str) -> Result<String> {
        let seen = self.shards.get(room);
        let seen = seen.with_context(|| format!("the anchor of room {room} is not in the cache"))?;
        Ok(format!("{}:{name}", seen.trim_end_matches(SEEN)))
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

    /// The cache's clock, in milliseconds since the epoch.
    pub async fn now_ms(&mut self) -> Result<u64> {
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut self.connection).await?;
        Ok(seconds * 1000 + micros / 1000)
    }

    /// Puts `viewers` users `silent-…` into `rooms` in turn, all heard at the same millisecond: the answer.
    pub async fn put_in(&mut self, rooms: &[&str], viewers: u32) -> Result<Instant> {
        let now = self.now_ms().await?;
        let heard = Instant::now();
        for (room, first) in rooms.iter().zip(0_u32..) {
            let theirs = (first..viewers).step_by(rooms.len());
            let members: Vec<(u64, String)> =
                theirs.map(|viewer| (now, format!("{room}:silent-{viewer:07}"))).collect();
            if members.is_empty() {
                continue;
            }
            let (seen, online) = (self.key(room, "seen")?, self.key(room, "online")?);
            let mut pipe = redis::pipe();
            pipe.zadd_multiple(seen, &members).ignore().hincr(online, room, members.len()).ignore();
            () = pipe.query_async(&mut self.connection).await?;
        }
        eprintln!("  presence took {:.1} s", heard.elapsed().as_secs_f64());
        Ok(heard)
    }
}
