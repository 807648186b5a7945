//! The cache of a server that runs alone: in process, by the server's clock.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use super::invalidation::Listeners;
use super::likes::{Like, LikeWarmUp, Liked, LikedRoom, RoomLikes, UserLikes};
use super::memory_likes::LikeBook;
use super::memory_shard::Shard;
use super::presence::{self, CountersEntry, Enter, Member, RoomState, SHARDS, TimedOut};
use common::clock::{Clock, SharedClock, SteadyClock, life_ms};

/// Plain values with the instant at which each expires, in milliseconds since the epoch.
#[derive(Debug, Default)]
struct Values {
    values: HashMap<String, (String, i64)>,
    expiries: BTreeSet<(i64, String)>,
}

impl Values {
    fn drop_expired(&mut self, now: i64) {
        while self.expiries.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, key)) = self.expiries.pop_first() {
                self.values.remove(&key);
            }
        }
    }

    fn put(&mut self, key: &str, value: &str, expires: i64) {
        self.delete(key);
        self.values.insert(key.to_owned(), (value.to_owned(), expires));
        self.expiries.insert((expires, key.to_owned()));
    }

    fn delete(&mut self, key: &str) {
        if let Some((key, (_, expires))) = self.values.remove_entry(key) {
            self.expiries.remove(&(expires, key));
        }
    }
}

/// Everything the cache holds. No lock is held across an await.
pub(super) struct Memory {
    clock: SharedClock,
    /// Times presence: a heartbeat time-out is a span of time, and the machine's clock may be set.
    steady: SteadyClock,
    values: Mutex<Values>,
    shards: Vec<Mutex<Shard>>,
    likes: Mutex<LikeBook>,
    pub(super) listeners: Listeners,
}

impl Memory {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            steady: SteadyClock::starting_at(clock.now()),
            clock,
            values: Mutex::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            likes: Mutex::default(),
            listeners: Listeners::new(),
        }
    }

    /// The plain values, without the expired ones, and the present.
    fn values<T>(&self, act: impl FnOnce(&mut Values, i64) -> T) -> T {
        let now = self.clock.now_ms();
        let mut values = self.values.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        values.drop_expired(now);
        act(&mut values, now)
    }

    /// One shard, and the present. A number out of range wraps around.
    fn shard<T>(&self, shard: u16, act: impl FnOnce(&mut Shard, i64) -> T) -> T {
        // `shards` holds SHARDS of them, so the index is in range.
        #[expect(clippy::indexing_slicing)]
        let lock = &self.shards[usize::from(shard % SHARDS)];
        let mut shard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Read under the lock, so that times within a shard never go back between two calls.
        let now = self.steady.now_ms();
        act(&mut shard, now)
    }

    fn room<T>(&self, live_id: &str, act: impl FnOnce(&mut Shard, i64) -> T) -> T {
        self.shard(presence::shard_of(live_id), act)
    }

    pub(super) fn ping(&self) {}

    pub(super) fn announce(&self, topic: &str, key: &str) {
        self.listeners.tell_changed(topic, key);
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.values(|values, _| values.values.get(key).map(|(value, _)| value.clone()))
    }

    pub(super) fn set(&self, key: &str, value: &str, ttl: Duration) {
        self.values(|values, now| values.put(key, value, expiry(now, ttl)));
    }

    pub(super) fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> bool {
        self.values(|values, now| {
            let absent = !values.values.contains_key(key);
            if absent {
                values.put(key, value, expiry(now, ttl));
            }
            absent
        })
    }

    pub(super) fn delete(&self, key: &str) {
        self.values(|values, _| values.delete(key));
    }

    pub(super) fn heard(&self, live_id: &str, user_id: &str, is_anchor: bool) -> bool {
        self.room(live_id, |shard, now| shard.heard(live_id, user_id, is_anchor, now))
    }

    pub(super) fn enter(&self, enter: &Enter<'_>) -> RoomState {
        if let Some(former) = enter.former.filter(|former| *former != enter.live_id) {
            self.room(former, |shard, _| shard.leave(former, enter.user_id));
        }
        self.room(enter.live_id, |shard, now| shard.enter(enter, now))
    }

    pub(super) fn leave(&self, live_id: &str, user_id: &str) -> bool {
        self.room(live_id, |shard, _| shard.leave(live_id, user_id))
    }

    pub(super) fn room_states(&self, rooms: &[(&str, &str)]) -> Vec<RoomState> {
        rooms
            .iter()
            .map(|(live_id, anchor_id)| self.room(live_id, |shard, now| shard.state(live_id, anchor_id, now)))
            .collect()
    }

    pub(super) fn put_counters(&self, entries: &[CountersEntry<'_>]) {
        for entry in entries {
            self.room(entry.live_id, |shard, now| shard.put_counters(entry, now));
        }
    }

    pub(super) fn forget_counters(&self, live_id: &str) {
        self.room(live_id, |shard, now| shard.forget_counters(live_id, now));
    }

    pub(super) fn anchor_watch(&self, live_id: &str) {
        self.room(live_id, |shard, now| shard.anchors.put(live_id, now));
    }

    pub(super) fn anchor_unwatch<S: AsRef<str>>(&self, live_ids: &[S]) {
        for live_id in live_ids.iter().map(AsRef::as_ref) {
            self.room(live_id, |shard, _| shard.anchors.remove(live_id));
        }
    }

    pub(super) fn remove_timed_out(
        &self,
        shard: u16,
        timeout: Duration,
        limit: usize,
        pending_first: bool,
    ) -> TimedOut {
        self.shard(shard, |shard, now| shard.remove_timed_out(now, life_ms(timeout), limit, pending_first))
    }

    pub(super) fn acknowledge_removed(&self, members: &[Member]) -> Vec<bool> {
        let removed = |member: &Member| {
            self.room(&member.live_id, |shard, _| shard.removed.remove(&member.to_string()))
        };
        members.iter().map(removed).collect()
    }

    pub(super) fn timed_out_anchors(&self, shard: u16, timeout: Duration, limit: usize) -> TimedOut {
        self.shard(shard, |shard, now| shard.timed_out_anchors(now, life_ms(timeout), limit))
    }

    pub(super) fn restore(&self, members: &[Member], anchors: &[String]) {
        for member in members {
            self.room(&member.live_id, |shard, now| shard.restore(member, now));
        }
        for live_id in anchors {
            self.room(live_id, |shard, now| {
                shard.anchors.contains(live_id) || shard.anchors.put(live_id, now)
            });
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        (0..SHARDS).all(|shard| self.shard(shard, |shard, _| shard.since.is_some()))
    }

    pub(super) fn begin_watch(&self) {
        for shard in 0..SHARDS {
            self.shard(shard, |shard, now| shard.since = Some(now));
        }
    }

    pub(super) fn heard_since(&self, shard: u16, after_ms: i64, limit: usize) -> Vec<(Member, i64)> {
        self.shard(shard, |shard, now| shard.heard_since(after_ms, now, limit))
    }

    pub(super) fn count_seen(&self) -> u64 {
        let counts = (0..SHARDS).map(|shard| self.shard(shard, |shard, _| shard.seen.len()));
        counts.map(|count| u64::try_from(count).unwrap_or_default()).sum()
    }

    pub(super) fn present(&self, members: &[Member]) -> Vec<bool> {
        members
            .iter()
            .map(|member| self.room(&member.live_id, |shard, _| shard.seen.contains(&member.to_string())))
            .collect()
    }

    /// The likes, and the present.
    fn likes<T>(&self, act: impl FnOnce(&mut LikeBook, i64) -> T) -> T {
        let mut likes = self.likes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut likes, self.clock.now_ms())
    }

    pub(super) fn like(&self, like: &Like<'_>) -> Liked {
        let member = presence::encode(like.live_id, like.user_id);
        if !like.is_in && !self.room(like.live_id, |shard, _| shard.seen.contains(&member)) {
            return Liked::NotIn;
        }
        self.likes(|likes, now| likes.like(like, now))
    }

    pub(super) fn begin_warm_up(&self, live_id: &str) -> LikeWarmUp {
        self.likes(|likes, now| likes.begin_warm_up(live_id, now))
    }

    pub(super) fn add_to_warm_up(&self, warm_up: &LikeWarmUp, users: &[UserLikes]) -> bool {
        self.likes(|likes, _| likes.add_to_warm_up(warm_up, users))
    }

    pub(super) fn finish_warm_up(&self, warm_up: &LikeWarmUp) -> bool {
        self.likes(|likes, now| likes.finish_warm_up(warm_up, now))
    }

    pub(super) fn liked_rooms(&self) -> Vec<LikedRoom> {
        self.likes(|likes, _| likes.liked_rooms())
    }

    pub(super) fn unlist_liked(&self, rooms: &[LikedRoom]) {
        self.likes(|likes, _| likes.unlist_liked(rooms));
    }

    pub(super) fn unwritten_likes(&self, live_ids: &[&str], limit: usize) -> Vec<RoomLikes> {
        self.likes(|likes, _| likes.unwritten_likes(live_ids, limit))
    }

    pub(super) fn likes_written(&self, rooms: &[RoomLikes]) {
        self.likes(|likes, _| likes.likes_written(rooms));
    }

    pub(super) fn keep_likes(&self, live_ids: &[String]) {
        self.likes(|likes, now| likes.keep_likes(live_ids, now));
    }
}

fn expiry(now: i64, ttl: Duration) -> i64 {
    now.saturating_add(life_ms(ttl))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;
    use common::clock::ManualClock;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Presence of one user, after which the machine's clock is set by so many days.
    fn with_clock_set_by(days: i64) -> (Memory, u16) {
        let clock = ManualClock::new(Utc::now());
        let memory = Memory::new(clock.clone());
        memory.begin_watch();
        memory.enter(&Enter { live_id: "1", user_id: "user", ..Enter::default() });
        clock.advance(TimeDelta::days(days));
        (memory, presence::shard_of("1"))
    }

    #[test]
    fn a_clock_that_is_set_makes_nobody_silent() {
        for days in [1, -1] {
            let (memory, shard) = with_clock_set_by(days);
            assert_eq!(memory.remove_timed_out(shard, MINUTE, 10, true), TimedOut::Waiting);
            assert_eq!(memory.present(&[Member::new("1", "user")]), [true]);
        }
    }

    #[test]
    fn a_clock_that_is_set_keeps_nobody_in() {
        for days in [1, -1] {
            let (memory, shard) = with_clock_set_by(days);
            std::thread::sleep(Duration::from_millis(5));
            let gone = memory.remove_timed_out(shard, Duration::from_millis(1), 10, true);
            assert_eq!(gone, TimedOut::Found(vec![Member::new("1", "user")]));
        }
    }
}
