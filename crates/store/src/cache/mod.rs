//! The cache: one interface over a Redis node, a Redis Cluster, and memory, with equal behaviour.
//!
//! Besides plain values it holds *presence*: who is in which room and when they were last heard;
//! and *likes*, until they are written to the database.
//! Rooms are spread over [`Cache::shards`] shards; what belongs to a room is in its shard, and a
//! shard is one hash slot of a cluster, so that each change is one script and thereby atomic: the
//! number online of a room always equals the members that are in.
//!
//! Every call answers within a second, with an error when Redis is away; connections are
//! replaced in the background.

mod adopted_likes;
mod grouping;
mod health;
mod heartbeats;
mod invalidation;
mod keys;
mod likes;
mod memory;
mod memory_likes;
mod memory_shard;
mod presence;
mod redis;
mod redis_likes;
mod redis_presence;
mod scripts;
mod sorted_set;
mod subscription;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

pub use self::invalidation::Announcement;
pub use self::likes::{Like, LikeCounts, LikeWarmUp, Liked, LikedRoom, RoomLikes, UserLikes};
use self::memory::Memory;
pub use self::presence::{CROWDED_VIEWS, Counters, CountersEntry, Enter, Member, RoomState, TimedOut};
use self::redis::Redis;
pub use crate::redis::ClientError as CacheError;
use common::clock::SharedClock;
use config::CacheConfig;

type Result<T> = std::result::Result<T, CacheError>;

/// A handle to the cache; clones share everything.
#[derive(Clone)]
pub struct Cache(Backend);

#[derive(Clone)]
enum Backend {
    Memory(Arc<Memory>),
    Redis(Arc<Redis>),
}

impl Cache {
    /// Opens the cache. An unreachable Redis is no error: it is waited for shortly, and connected
    /// to in the background as soon as it is there.
    ///
    /// # Errors
    /// [`CacheError::Config`] for addresses or a key prefix that cannot be used, and for a Redis that does not
    /// take the user and the password.
    pub async fn connect(cfg: &CacheConfig, clock: SharedClock) -> Result<Self> {
        let (redis, is_cluster) = match cfg {
            CacheConfig::Memory => return Ok(Self(Backend::Memory(Arc::new(Memory::new(clock))))),
            CacheConfig::Node(redis) => (redis, false),
            CacheConfig::Cluster(redis) => (redis, true),
        };
        Ok(Self(Backend::Redis(Arc::new(Redis::open(redis, is_cluster, clock).await?))))
    }
}

/// Hands a call to the implementation: memory answers at once, Redis later.
macro_rules! dispatch {
    ($self:ident, $backend:ident => $call:expr) => {
        match &$self.0 {
            Backend::Memory($backend) => Ok($call),
            Backend::Redis($backend) => $call.await,
        }
    };
}

/// Plain values and announcements. All of the calls fail with a [`CacheError`] that says whether
/// the cache could not be reached or answered badly; after a failed write it is unknown whether
/// it was applied.
impl Cache {
    /// Whether the cache answers (of a cluster: every master).
    pub async fn ping(&self) -> Result<()> {
        dispatch!(self, cache => cache.ping())
    }

    /// The value of `key`.
    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        dispatch!(self, cache => cache.get(key))
    }

    /// Sets `key` for `ttl`.
    pub async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        dispatch!(self, cache => cache.set(key, value, ttl))
    }

    /// Sets `key` for `ttl` unless it has a value; whether it was set.
    pub async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool> {
        dispatch!(self, cache => cache.set_if_absent(key, value, ttl))
    }

    /// Removes `key`.
    pub async fn delete(&self, key: &str) -> Result<()> {
        dispatch!(self, cache => cache.delete(key))
    }

    /// Tells every process that its look-ups of `key` are out of date. This process hears it
    /// at once, even if the call fails.
    pub async fn announce(&self, topic: &str, key: &str) -> Result<()> {
        dispatch!(self, cache => cache.announce(topic, key))
    }

    /// What every process announces, from now on.
    pub fn announcements(&self) -> broadcast::Receiver<Announcement> {
        match &self.0 {
            Backend::Memory(memory) => memory.listeners.listen(),
            Backend::Redis(redis) => redis.listeners.listen(),
        }
    }
}

/// Presence.
impl Cache {
    /// When a presence write of this process last failed. Heartbeats of around that time
    /// may be missing.
    pub fn failed_at(&self) -> Option<DateTime<Utc>> {
        match &self.0 {
            Backend::Memory(_) => None,
            Backend::Redis(redis) => redis.failed_at(),
        }
    }

    /// A heartbeat, in one round trip: true if the user is in the room, and was now heard.
    pub async fn heard(&self, live_id: &str, user_id: &str, is_anchor: bool) -> Result<bool> {
        dispatch!(self, cache => cache.heard(live_id, user_id, is_anchor))
    }

    /// Brings a user into a room and out of the former one. Entering twice is harmless.
    pub async fn enter(&self, enter: Enter<'_>) -> Result<RoomState> {
        dispatch!(self, cache => cache.enter(&enter))
    }

    /// Takes a user out of a room; whether they were in.
    pub async fn leave(&self, live_id: &str, user_id: &str) -> Result<bool> {
        dispatch!(self, cache => cache.leave(live_id, user_id))
    }

    /// The state of each `(live_id, anchor_id)`, in the same order, in one round trip.
    pub async fn room_states(&self, rooms: &[(&str, &str)]) -> Result<Vec<RoomState>> {
        dispatch!(self, cache => cache.room_states(rooms))
    }

    /// Keeps the counters of rooms for a minute, of each unless it was viewed since its version
    /// was read.
    pub async fn put_counters(&self, entries: &[CountersEntry<'_>]) -> Result<()> {
        dispatch!(self, cache => cache.put_counters(entries))
    }

    /// Drops the counters of a room.
    pub async fn forget_counters(&self, live_id: &str) -> Result<()> {
        dispatch!(self, cache => cache.forget_counters(live_id))
    }

    /// A live starts: its anchor counts as heard now, and is watched.
    pub async fn anchor_watch(&self, live_id: &str) -> Result<()> {
        dispatch!(self, cache => cache.anchor_watch(live_id))
    }

    /// Lives have ended: their anchors are not watched any more.
    pub async fn anchor_unwatch<S: AsRef<str> + Sync>(&self, live_ids: &[S]) -> Result<()> {
        dispatch!(self, cache => cache.anchor_unwatch(live_ids))
    }

    /// Into how many shards the rooms are spread; the shards are numbered from 0.
    pub fn shards(&self) -> u16 {
        presence::SHARDS
    }

    /// Removes members of `shard` who sent no heartbeat for `timeout`, at most `limit`, the longest
    /// overdue first; none before `timeout` has passed since [`Cache::begin_watch`].
    ///
    /// They are kept as removed until [`Cache::acknowledge_removed`], so that who fails to write their rows
    /// finds them again: with `pending_first` those of before, while there are any, are answered instead, at
    /// any time.
    pub async fn remove_timed_out(
        &self,
        shard: u16,
        timeout: Duration,
        limit: usize,
        pending_first: bool,
    ) -> Result<TimedOut> {
        dispatch!(self, cache => cache.remove_timed_out(shard, timeout, limit, pending_first))
    }

    /// The rows of members that [`Cache::remove_timed_out`] answered are written; for each, in the same order,
    /// false if it has come back meanwhile.
    pub async fn acknowledge_removed(&self, members: &[Member]) -> Result<Vec<bool>> {
        dispatch!(self, cache => cache.acknowledge_removed(members))
    }

    /// Rooms of `shard` whose anchors sent no heartbeat for `timeout`, as [`Cache::remove_timed_out`]
    /// finds members, with empty user ids. They stay watched until [`Cache::anchor_unwatch`].
    pub async fn timed_out_anchors(&self, shard: u16, timeout: Duration, limit: usize) -> Result<TimedOut> {
        dispatch!(self, cache => cache.timed_out_anchors(shard, timeout, limit))
    }

    /// Puts back, as heard now, those members and watched anchors (live ids) that are missing; not those
    /// whose removal is not acknowledged.
    pub async fn restore(&self, members: &[Member], anchors: &[String]) -> Result<()> {
        dispatch!(self, cache => cache.restore(members, anchors))
    }

    /// Whether it is known of every shard since when missing heartbeats count; false once contents were lost, or
    /// before the first [`Cache::begin_watch`].
    pub async fn is_watched(&self) -> Result<bool> {
        dispatch!(self, cache => cache.is_watched())
    }

    /// Missing heartbeats count from now on, in every shard.
    pub async fn begin_watch(&self) -> Result<()> {
        dispatch!(self, cache => cache.begin_watch())
    }

    /// Members of `shard` last heard after `after_ms` (milliseconds since the epoch, by the
    /// cache's clock) and before the present millisecond, with that time, ascending.
    ///
    /// Answers `limit` members, and all others heard in the same millisecond as the last: going
    /// on with the last time misses nobody.
    pub async fn heard_since(&self, shard: u16, after_ms: i64, limit: usize) -> Result<Vec<(Member, i64)>> {
        dispatch!(self, cache => cache.heard_since(shard, after_ms, limit))
    }

    /// How many members there are in all rooms together, in one round trip.
    pub async fn count_seen(&self) -> Result<u64> {
        dispatch!(self, cache => cache.count_seen())
    }

    /// Whether each of the members is in their room, in the same order.
    pub async fn present(&self, members: &[Member]) -> Result<Vec<bool>> {
        dispatch!(self, cache => cache.present(members))
    }
}

/// Likes. What fails may have been done all the same: only what was answered is certain.
impl Cache {
    /// Whether the cache ends with this process, and with it what was not written.
    pub fn is_in_process(&self) -> bool {
        matches!(self.0, Backend::Memory(_))
    }

    /// Counts likes of a user who is in the room, and marks them as not written. At most two round
    /// trips.
    pub async fn like(&self, like: Like<'_>) -> Result<Liked> {
        dispatch!(self, cache => cache.like(&like))
    }

    /// Begins to collect the likes of a room that is [`Liked::Cold`]. To be called before the
    /// database is asked for them.
    pub async fn begin_warm_up(&self, live_id: &str) -> Result<LikeWarmUp> {
        dispatch!(self, cache => cache.begin_warm_up(live_id))
    }

    /// Adds likes; false if the cache has lost what was begun.
    pub async fn add_to_warm_up(&self, warm_up: &LikeWarmUp, users: &[UserLikes]) -> Result<bool> {
        dispatch!(self, cache => cache.add_to_warm_up(warm_up, users))
    }

    /// The room has these likes from now on, and is counted on, unless somebody was faster; false
    /// if the cache has lost what was begun. Likes that an old server counted become no fewer.
    pub async fn finish_warm_up(&self, warm_up: LikeWarmUp) -> Result<bool> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.finish_warm_up(&warm_up)),
            Backend::Redis(redis) => redis.finish_warm_up(warm_up).await,
        }
    }

    /// The rooms that may have likes to write.
    pub async fn liked_rooms(&self) -> Result<Vec<LikedRoom>> {
        dispatch!(self, cache => cache.liked_rooms())
    }

    /// The rooms had nothing to write when they were asked: each that was not liked since and for a
    /// while is no more among [`Cache::liked_rooms`].
    pub async fn unlist_liked(&self, rooms: &[LikedRoom]) -> Result<()> {
        dispatch!(self, cache => cache.unlist_liked(rooms))
    }

    /// The likes that are not written, of at most `limit` users of each room; in the same order.
    pub async fn unwritten_likes(&self, live_ids: &[&str], limit: usize) -> Result<Vec<RoomLikes>> {
        dispatch!(self, cache => cache.unwritten_likes(live_ids, limit))
    }

    /// The likes are written: those that have not changed since need not be written again.
    pub async fn likes_written(&self, rooms: &[RoomLikes]) -> Result<()> {
        dispatch!(self, cache => cache.likes_written(rooms))
    }

    /// Likes of these rooms live on for another week.
    pub async fn keep_likes(&self, live_ids: &[String]) -> Result<()> {
        dispatch!(self, cache => cache.keep_likes(live_ids))
    }

    /// Marks as not written what a QNLiveKit_Server counted in these Unix seconds; of how many
    /// users.
    pub async fn adopt_likes(&self, seconds: RangeInclusive<i64>) -> Result<u64> {
        match &self.0 {
            Backend::Memory(_) => Ok(0),
            Backend::Redis(redis) => redis.adopt_likes(seconds).await,
        }
    }
}
