//! What a QNLiveKit_Server left in the cache, and what it finds on the way back.
//!
//! It writes `live_like_flush` each second: a later start of it goes on from there. This server
//! writes the same row once an hour, and a copy beside it: as long as both are the same, no old
//! server has run since.

use std::time::Duration;

use super::error::Error;
use super::queries::{self, Progress};
use super::service::Likes;
use common::crash;
use store::fence::Fence;

/// How many seconds the old server writes again each time, since the clocks of its nodes differ.
const OVERLAP_S: i64 = 5;
/// How far back the old server begins when it has no row.
const FIRST_S: i64 = 300;
/// How long the old server's sets live.
const LIFE_S: i64 = 3600;

/// Rooms whose likes are kept in one go.
const ROOMS: usize = 500;
/// Rooms that ended within this time are looked at as well: their last likes may not be written.
const LATELY: Duration = Duration::from_secs(2 * 3600);

impl Likes {
    /// Marks the likes that an old server counted and did not write, once; of how many users. They
    /// are written by the next flush.
    ///
    /// # Errors
    /// The cache's or the store's; a repetition is harmless.
    pub async fn adopt(&self, fence: &dyn Fence) -> Result<u64, Error> {
        let inner = &self.0;
        if inner.cache.is_in_process() {
            return Ok(0);
        }
        let progress = queries::progress(inner.db.writer()).await?;
        if is_own(progress) {
            return Ok(0);
        }
        let now = inner.clock.now().timestamp();
        let last = progress.any.unwrap_or(now - FIRST_S);
        let first = (last - OVERLAP_S + 1).max(now - LIFE_S - OVERLAP_S);
        let marked = inner.cache.adopt_likes(first..=now + OVERLAP_S).await?;
        crash::point("adopt_likes.marked");
        self.note(fence, now).await?;
        crash::point("adopt_likes.noted");
        if marked > 0 {
            tracing::info!(users = marked, "likes of the former server are taken over");
        }
        Ok(marked)
    }

    /// Keeps the likes of live rooms in the cache for another week; of how many rooms.
    ///
    /// # Errors
    /// The cache's or the store's.
    pub async fn keep(&self, fence: &dyn Fence) -> Result<u64, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let mut kept = 0;
        for is_live in [true, false] {
            let mut after = Some(0);
            while let Some(row_id) = after {
                let (last, live_ids) = if is_live {
                    inner.lives.live_after(row_id, ROOMS).await?
                } else {
                    inner.lives.ended_after(row_id, now - LATELY, ROOMS).await?
                };
                inner.cache.keep_likes(&live_ids).await?;
                kept += live_ids.len();
                after = last;
            }
        }
        // Before the likes of an old server are taken over, the row is still its own.
        if is_own(queries::progress(inner.db.writer()).await?) {
            self.note(fence, now.timestamp()).await?;
        }
        Ok(u64::try_from(kept).unwrap_or(u64::MAX))
    }

    async fn note(&self, fence: &dyn Fence, second: i64) -> Result<(), Error> {
        let inner = &self.0;
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    fence.check(tx).await?;
                    queries::set_progress(tx, second).await?;
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}

fn is_own(progress: Progress) -> bool {
    progress.any.is_some() && progress.any == progress.own
}
