//! What silence does: viewers who are not heard are put out, lives whose anchor is not heard end.
//!
//! All of it works on sets: the cache removes members in one script, the tables follow with a few
//! statements per batch. A crash in between leaves rows that say `in` without presence; they are
//! found by [`Lives::restore_presence`], heard as of then, and time out once more.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::error::Error;
use super::presence_rows;
use super::queries;
use super::service::Lives;
use crate::event::{self, DomainEvent, StopReason};
use crate::store::cache::{Member, Silent};
use crate::store::fence::Fence;

/// Members handled in one transaction.
pub const BATCH: usize = 2000;

/// Batches at the same time: one connection alone would keep the database waiting.
const AT_ONCE: usize = 4;

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// So many were silent, and are out.
    Removed(u64),
    /// The cache has lost its contents: presence must be restored first.
    Lost,
}

impl Lives {
    /// Puts out all viewers who were not heard for `timeout`.
    ///
    /// # Errors
    /// The cache's or the store's; what was not done is done by the next sweep or by
    /// [`Lives::restore_presence`].
    pub async fn put_out_silent(&self, fence: &dyn Fence, timeout: Duration) -> Result<Swept, Error> {
        let cache = &self.0.cache;
        let mut removed = 0;
        let mut silent = Vec::new();
        for shard in 0..cache.shards() {
            loop {
                match cache.remove_silent(shard, timeout, BATCH).await? {
                    Silent::Lost => return Ok(Swept::Lost),
                    Silent::Waiting => break,
                    Silent::Removed(members) if members.is_empty() => break,
                    Silent::Removed(members) => silent.extend(members),
                }
                if silent.len() >= BATCH * AT_ONCE {
                    removed += self.put_out_all(fence, std::mem::take(&mut silent)).await?;
                }
            }
        }
        removed += self.put_out_all(fence, silent).await?;
        Ok(Swept::Removed(removed))
    }

    /// The rows of members whom the cache has removed, a few batches at the same time.
    async fn put_out_all(&self, fence: &dyn Fence, silent: Vec<Member>) -> Result<u64, Error> {
        let batches: Vec<Vec<Member>> = silent.chunks(BATCH).map(<[Member]>::to_vec).collect();
        let running = stream::iter(batches).map(|batch| self.put_out(fence, batch)).buffer_unordered(AT_ONCE);
        running.try_fold(0, |sum, out| async move { Ok(sum + out) }).await
    }

    /// One batch of rows.
    async fn put_out(&self, fence: &dyn Fence, silent: Vec<Member>) -> Result<u64, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let (out, events) = inner
            .db
            .transaction(|tx| {
                let silent = &silent;
                Box::pin(async move {
                    fence.check(tx).await?;
                    let rows = presence_rows::lock_in(&inner.db, tx, silent).await?;
                    let seated = rows.iter().filter(|row| row.may_hold_seat);
                    let seated: Vec<Member> = seated.map(|row| row.member.clone()).collect();
                    let mut events = self.free_seats(tx, &seated, now).await?;
                    let ids: Vec<u32> = rows.iter().map(|row| row.row_id).collect();
                    let out = presence_rows::set_out(&inner.db, tx, &ids, now).await?;
                    let left = rows.into_iter().filter(|row| row.is_anchor);
                    events.extend(left.map(|row| (row.member.live_id, DomainEvent::AnchorLeft)));
                    event::append_all(tx, &inner.db, &events, now).await?;
                    Ok::<_, Error>((out, events))
                })
            })
            .await?;
        self.recount_seats(&events).await;
        self.bring_back_the_heard(&silent).await?;
        if inner.im.is_builtin() {
            let rooms: HashSet<&str> = silent.iter().map(|member| member.live_id.as_str()).collect();
            for live_id in rooms {
                // Most rooms are remembered; one that is gone has nobody to tell.
                if let Ok(room) = self.room(live_id).await {
                    inner.online.note(&room);
                }
            }
        }
        Ok(out)
    }

    /// Of members just put out, those whose heartbeat came between the script and the rows.
    async fn bring_back_the_heard(&self, members: &[Member]) -> Result<(), Error> {
        let inner = &self.0;
        let present = inner.cache.present(members).await?;
        let mut back: HashMap<&str, Vec<&str>> = HashMap::new();
        for (member, _) in members.iter().zip(present).filter(|(_, is_present)| *is_present) {
            back.entry(&member.live_id).or_default().push(&member.user_id);
        }
        for (live_id, user_ids) in back {
            presence_rows::return_users(&inner.db, inner.db.writer(), live_id, &user_ids, inner.clock.now())
                .await?;
        }
        Ok(())
    }

    /// Ends all lives whose anchor was not heard for `timeout`.
    ///
    /// # Errors
    /// The cache's or the store's, as for [`Lives::put_out_silent`].
    pub async fn end_silent(&self, fence: &dyn Fence, timeout: Duration) -> Result<Swept, Error> {
        let cache = &self.0.cache;
        let mut ended = 0;
        for shard in 0..cache.shards() {
            loop {
                match cache.remove_silent_anchors(shard, timeout, BATCH).await? {
                    Silent::Lost => return Ok(Swept::Lost),
                    Silent::Waiting => break,
                    Silent::Removed(rooms) if rooms.is_empty() => break,
                    Silent::Removed(rooms) => {
                        let ids: Vec<String> = rooms.into_iter().map(|room| room.live_id).collect();
                        ended += self.end_all(fence, &ids).await?;
                    }
                }
            }
        }
        Ok(Swept::Removed(ended))
    }

    async fn end_all(&self, fence: &dyn Fence, live_ids: &[String]) -> Result<u64, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let ended = inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    fence.check(tx).await?;
                    let rooms = queries::live_for_update(tx, live_ids).await?;
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
        for live_id in &ended {
            self.changed(live_id).await;
        }
        Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
    }

    /// Puts members and watched anchors that the tables know and the cache does not into the
    /// cache, as heard now; with `silent_for`, only members whose row was not written for so long.
    ///
    /// # Errors
    /// The cache's or the store's.
    pub async fn restore_presence(&self, silent_for: Option<Duration>) -> Result<u64, Error> {
        let inner = &self.0;
        let conn = inner.db.reader_for(true);
        let before = silent_for.map(|age| inner.db.wall(inner.clock.now() - age));
        let mut restored = 0;
        let mut after = 0;
        loop {
            let (last, members) = presence_rows::online_after(conn, after, before, BATCH).await?;
            let present = inner.cache.present(&members).await?;
            let missing = members.into_iter().zip(present).filter(|(_, is_present)| !is_present);
            let missing: Vec<Member> = missing.map(|(member, _)| member).collect();
            inner.cache.restore(&missing, &[]).await?;
            restored += missing.len();
            let Some(last) = last else { break };
            after = last;
        }
        let mut after = 0;
        loop {
            let (last, anchors) = queries::live_after(conn, after, BATCH).await?;
            inner.cache.restore(&[], &anchors).await?;
            let Some(last) = last else { break };
            after = last;
        }
        Ok(u64::try_from(restored).unwrap_or(u64::MAX))
    }

    /// Writes to the rows who was heard after `after_ms`, of one shard; answers where to go on.
    ///
    /// # Errors
    /// The cache's or the store's.
    pub async fn write_heard(&self, fence: &dyn Fence, shard: u16, after_ms: i64) -> Result<i64, Error> {
        let inner = &self.0;
        let mut after_ms = after_ms;
        loop {
            let heard = inner.cache.heard_since(shard, after_ms, BATCH).await?;
            let Some((_, last_ms)) = heard.last() else { return Ok(after_ms) };
            after_ms = *last_ms;
            let now = inner.clock.now();
            inner
                .db
                .transaction(|tx| {
                    let heard = &heard;
                    Box::pin(async move {
                        fence.check(tx).await?;
                        presence_rows::set_heard(&inner.db, tx, heard.iter().map(|(member, _)| member), now)
                            .await?;
                        Ok::<_, Error>(())
                    })
                })
                .await?;
            if heard.len() < BATCH {
                return Ok(after_ms);
            }
        }
    }
}
