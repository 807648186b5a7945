//! Writing likes from the cache to the database.

use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;
use super::queries;
use super::service::Likes;
use common::crash;
use store::cache::{LikedRoom, RoomLikes};
use store::fence::Fence;

/// Rooms that are asked for what is not written at the same time.
const ROOMS: usize = 200;

/// Users that are asked for in one round trip, of all rooms together: the answer must come in time.
const USERS: usize = 20_000;

/// Users whose likes one transaction writes, about.
const BATCH: usize = 10_000;

/// How often one run asks a room for more, so that one in which everybody keeps liking does not
/// keep the others waiting.
const ROUNDS: usize = 200;

/// Who waits until their likes are written. One caller writes for all who came before.
#[derive(Default)]
pub(super) struct Commits {
    /// How many likes were counted.
    counted: AtomicU64,
    /// How many of them are written; locked while more are.
    written: tokio::sync::Mutex<u64>,
}

impl Likes {
    /// Writes what is not written; answers of how many users. With a `fence`, only while it holds.
    ///
    /// # Errors
    /// The cache's or the store's; what was not written is written by the next run.
    pub async fn flush(&self, fence: Option<&dyn Fence>) -> Result<u64, Error> {
        let listed = self.0.cache.liked_rooms().await?;
        let mut written = 0;
        for rooms in listed.chunks(ROOMS) {
            written += self.flush_rooms(fence, rooms).await?;
        }
        Ok(u64::try_from(written).unwrap_or(u64::MAX))
    }

    /// Returns when the likes that the caller has counted are written.
    pub(super) async fn commit(&self) -> Result<(), Error> {
        let commits = &self.0.commits;
        let own = commits.counted.fetch_add(1, Ordering::AcqRel) + 1;
        let mut written = commits.written.lock().await;
        if *written < own {
            let all = commits.counted.load(Ordering::Acquire);
            self.flush(None).await?;
            *written = all;
        }
        Ok(())
    }

    async fn flush_rooms(&self, fence: Option<&dyn Fence>, rooms: &[LikedRoom]) -> Result<usize, Error> {
        let cache = &self.0.cache;
        let mut live_ids: Vec<&str> = rooms.iter().map(|room| room.live_id.as_str()).collect();
        let mut written = 0;
        for round in 0..ROUNDS {
            let users = (USERS / live_ids.len().max(1)).max(1);
            let unwritten = cache.unwritten_likes(&live_ids, users).await?;
            if round == 0 {
                let quiet = rooms.iter().zip(&unwritten).filter(|(_, likes)| likes.users.is_empty());
                let quiet: Vec<LikedRoom> = quiet.map(|(room, _)| room.clone()).collect();
                if !quiet.is_empty() {
                    cache.unlist_liked(&quiet).await?;
                }
            }
            written += self.write_all(fence, &unwritten).await?;
            let more = live_ids.iter().zip(&unwritten).filter(|(_, likes)| likes.users.len() >= users);
            live_ids = more.map(|(live_id, _)| *live_id).collect();
            if live_ids.is_empty() {
                break;
            }
        }
        Ok(written)
    }

    /// Writes likes in transactions of several rooms.
    async fn write_all(&self, fence: Option<&dyn Fence>, likes: &[RoomLikes]) -> Result<usize, Error> {
        let mut written = 0;
        let mut batch: Vec<RoomLikes> = Vec::new();
        let mut users = 0;
        for room in likes.iter().filter(|room| !room.users.is_empty()) {
            users += room.users.len();
            batch.push(room.clone());
            if users >= BATCH {
                written += self.write_each(fence, &batch).await?;
                (batch, users) = (Vec::new(), 0);
            }
        }
        Ok(written + self.write_each(fence, &batch).await?)
    }

    /// Writes likes of several rooms together; room by room when that can never be done, so that one of them does
    /// not keep those of the others. Without a `fence` somebody waits for them, and is told of the failure.
    async fn write_each(&self, fence: Option<&dyn Fence>, rooms: &[RoomLikes]) -> Result<usize, Error> {
        match self.write(fence, rooms).await {
            Err(error) if error.is_for_good() && rooms.len() > 1 => {}
            written => return written,
        }
        let mut written = 0;
        for room in rooms {
            match self.write(fence, std::slice::from_ref(room)).await {
                Ok(users) => written += users,
                Err(error) if error.is_for_good() && fence.is_some() => {
                    tracing::error!(%error, room.live_id, "the likes of a room cannot be written");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Marks are taken off after the commit, and only of counts that are still those written: a
    /// crash in between has them written once more.
    async fn write(&self, fence: Option<&dyn Fence>, rooms: &[RoomLikes]) -> Result<usize, Error> {
        if rooms.is_empty() {
            return Ok(0);
        }
        crash::point("flush_likes.read");
        let inner = &self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    if let Some(fence) = fence {
                        fence.check(tx).await?;
                    }
                    queries::write_likes(&inner.db, tx, &inner.known, rooms, now).await?;
                    crash::point("flush_likes.written");
                    Ok::<_, Error>(())
                })
            })
            .await?;
        crash::point("flush_likes.committed");
        inner.cache.likes_written(rooms).await?;
        crash::point("flush_likes.cleared");
        Ok(rooms.iter().map(|room| room.users.len()).sum())
    }
}
