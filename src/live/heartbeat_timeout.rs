//! Heartbeat time-outs: viewers who are not heard are evicted, lives whose anchor is not heard end.
//!
//! All of it works on sets: the cache removes members in one script, the tables follow with a few
//! statements per batch. Who was removed is remembered by the cache until their rows are written, so that a
//! batch that fails, or a crash, is made up for by the next run. An anchor stays watched until the live
//! has ended.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::error::Error;
use super::presence_rows::{self, RowIn};
use super::queries;
use super::service::Lives;
use crate::event::{self, DomainEvent, StopReason};
use common::crash;
use store::cache::{Member, TimedOut};
use store::fence::Fence;

/// Members handled in one transaction.
pub const BATCH: usize = 2000;

/// Batches at the same time: one connection alone would keep the database waiting.
const AT_ONCE: usize = 4;

/// What a run found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evicted {
    /// So many timed out, and are evicted.
    Removed(u64),
    /// The cache has lost its contents: presence must be restored first.
    Lost,
}

/// What the parts of a run did: one that fails does not keep the others from being done.
#[derive(Default)]
struct Tally {
    done: u64,
    failure: Option<Error>,
}

impl Tally {
    fn add(&mut self, part: Result<u64, Error>) {
        match part {
            Ok(done) => self.done += done,
            Err(error) => _ = self.failure.get_or_insert(error),
        }
    }

    fn end(self) -> Result<u64, Error> {
        self.failure.map_or(Ok(self.done), Err)
    }
}

impl Lives {
    /// Evicts all viewers who were not heard for `timeout`.
    ///
    /// # Errors
    /// The cache's or the store's; what was not done is done by the next run.
    pub async fn evict_timed_out(&self, fence: &dyn Fence, timeout: Duration) -> Result<Evicted, Error> {
        let cache = &self.0.cache;
        let (mut tally, mut silent) = (Tally::default(), Vec::new());
        for shard in 0..cache.shards() {
            let mut pending_first = true;
            loop {
                match cache.remove_timed_out(shard, timeout, BATCH, pending_first).await? {
                    TimedOut::Lost => return Ok(Evicted::Lost),
                    TimedOut::Waiting => break,
                    TimedOut::Found(members) if members.is_empty() => break,
                    TimedOut::Found(members) => silent.extend(members),
                }
                pending_first = false;
                if silent.len() >= BATCH * AT_ONCE {
                    tally.add(self.put_out_all(fence, &std::mem::take(&mut silent)).await);
                }
            }
        }
        tally.add(self.put_out_all(fence, &silent).await);
        tally.end().map(Evicted::Removed)
    }

    /// The rows of members whom the cache has removed, a few batches at the same time: each has ids of its
    /// own, so that none waits for another.
    async fn put_out_all(&self, fence: &dyn Fence, silent: &[Member]) -> Result<u64, Error> {
        let db = &self.0.db;
        let mut rows = Vec::with_capacity(silent.len());
        for members in silent.chunks(BATCH) {
            rows.extend(presence_rows::find_in(db, db.writer(), members).await?);
        }
        rows.sort_unstable_by_key(|row| row.row_id);
        let batches: Vec<Vec<RowIn>> = rows.chunks(BATCH).map(<[RowIn]>::to_vec).collect();
        let running = stream::iter(batches).map(|batch| async move {
            let done = self.put_out(fence, &batch).await;
            (batch, done)
        });
        if !silent.is_empty() {
            crash::point("silence.removed");
        }
        let mut tally = Tally::default();
        let mut undone = HashSet::new();
        for (batch, done) in running.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            if done.is_err() {
                undone.extend(batch.into_iter().map(|row| row.member));
            }
            tally.add(done);
        }
        if !silent.is_empty() {
            crash::point("silence.written");
        }
        let done: Vec<Member> = silent.iter().filter(|member| !undone.contains(*member)).cloned().collect();
        self.acknowledge(&done).await?;
        tally.end()
    }

    /// One batch of rows.
    async fn put_out(&self, fence: &dyn Fence, found: &[RowIn]) -> Result<u64, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let (out, events) = inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    fence.check(tx).await?;
                    let rows = presence_rows::lock_in(&inner.db, tx, found).await?;
                    let seated = rows.iter().filter(|row| row.may_hold_seat);
                    let seated: Vec<Member> = seated.map(|row| row.member.clone()).collect();
                    let mut events = self.free_seats(tx, &seated, now).await?;
                    let ids: Vec<u32> = rows.iter().map(|row| row.row_id).collect();
                    let out = presence_rows::set_out(&inner.db, tx, &ids, now).await?;
                    let left = rows.into_iter().filter(|row| row.anchored.is_some());
                    events.extend(left.map(|row| (row.member.live_id, DomainEvent::AnchorLeft)));
                    event::append_all(tx, &inner.db, &events, now).await?;
                    Ok::<_, Error>((out, events))
                })
            })
            .await?;
        self.recount_seats(&events).await;
        Ok(out)
    }

    /// Tells the cache of members whose rows are written, and brings back those of them whose heartbeat came
    /// meanwhile.
    async fn acknowledge(&self, members: &[Member]) -> Result<(), Error> {
        let inner = &self.0;
        let still_out = inner.cache.acknowledge_removed(members).await?;
        let mut back: HashMap<&str, Vec<&str>> = HashMap::new();
        for (member, _) in members.iter().zip(still_out).filter(|(_, is_out)| !is_out) {
            back.entry(&member.live_id).or_default().push(&member.user_id);
        }
        for (live_id, user_ids) in back {
            presence_rows::return_users(&inner.db, inner.db.writer(), live_id, &user_ids, inner.clock.now())
                .await?;
        }
        if inner.im.is_builtin() {
            let rooms: HashSet<&str> = members.iter().map(|member| member.live_id.as_str()).collect();
            for live_id in rooms {
                // Most rooms are remembered; one that is gone has nobody to tell.
                if let Ok(room) = self.room(live_id).await {
                    inner.online.note(&room);
                }
            }
        }
        Ok(())
    }

    /// Ends all lives whose anchor was not heard for `timeout`.
    ///
    /// # Errors
    /// The cache's or the store's, as for [`Lives::evict_timed_out`].
    pub async fn end_timed_out(&self, fence: &dyn Fence, timeout: Duration) -> Result<Evicted, Error> {
        let cache = &self.0.cache;
        let mut tally = Tally::default();
        for shard in 0..cache.shards() {
            loop {
                let ids: Vec<String> = match cache.timed_out_anchors(shard, timeout, BATCH).await? {
                    TimedOut::Lost => return Ok(Evicted::Lost),
                    TimedOut::Waiting => break,
                    TimedOut::Found(rooms) if rooms.is_empty() => break,
                    TimedOut::Found(rooms) => rooms.into_iter().map(|room| room.live_id).collect(),
                };
                let ended = self.end_all(fence, &ids).await;
                // The same would be found again.
                let goes_on = ended.is_ok() && ids.len() == BATCH;
                tally.add(ended);
                if !goes_on {
                    break;
                }
            }
        }
        tally.end().map(Evicted::Removed)
    }

    async fn end_all(&self, fence: &dyn Fence, live_ids: &[String]) -> Result<u64, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let found = queries::live_of(inner.db.writer(), live_ids).await?;
        let ended = inner
            .db
            .transaction(|tx| {
                let found = &found;
                Box::pin(async move {
                    fence.check(tx).await?;
                    let rooms = queries::lock_live(tx, found).await?;
                    let rows: Vec<u32> = rooms.iter().map(|(row_id, _)| *row_id).collect();
                    if rows.is_empty() {
                        return Ok(Vec::new());
                    }
                    queries::set_ended(&inner.db, tx, &rows, now).await?;
                    let stopped = DomainEvent::LiveStopped { reason: StopReason::Timeout };
                    let events: Vec<_> =
                        rooms.into_iter().map(|(_, live_id)| (live_id, stopped.clone())).collect();
                    event::append_all(tx, &inner.db, &events, now).await?;
                    Ok::<_, Error>(events.into_iter().map(|(live_id, _)| live_id).collect::<Vec<_>>())
                })
            })
            .await?;
        inner.cache.anchor_unwatch(live_ids).await?;
        for live_id in &ended {
            self.changed(live_id).await;
        }
        Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
    }
}
