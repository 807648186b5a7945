//! The rules of likes.

use std::sync::Arc;

use moka::future::Cache as Moka;
use prometheus::{IntCounter, Registry};

use super::dto::LikesView;
use super::error::Error;
use super::flush::Commits;
use super::notify::Notifier;
use super::seed;
use crate::im::Im;
use crate::live::Lives;
use crate::user::Users;
use common::clock::SharedClock;
use common::crash;
use store::cache::{Cache, Like, LikeCounts, Liked};
use store::db::Db;
use store::statistics::KnownRows;

/// How often a like is tried: whether the user is in and what the room has may both have to be
/// looked up in the database, and be lost meanwhile.
const TRIES: usize = 4;

/// What likes are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The cache.
    pub cache: Cache,
    /// The clock.
    pub clock: SharedClock,
    /// The rooms.
    pub lives: Lives,
    /// The users, whose IM accounts notifications come from.
    pub users: Users,
    /// Takes the notifications.
    pub im: Im,
    /// The likes that were given here ([`register_given`]).
    pub given: IntCounter,
}

/// Registers `liveloom_likes_total`.
///
/// # Errors
/// When the registry holds that name already.
pub fn register_given(registry: &Registry) -> prometheus::Result<IntCounter> {
    let given = IntCounter::new("liveloom_likes_total", "Likes given at this node.")?;
    registry.register(Box::new(given.clone()))?;
    Ok(given)
}

/// The likes; clones share everything.
#[derive(Clone)]
pub struct Likes(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub db: Db,
    pub cache: Cache,
    pub clock: SharedClock,
    pub lives: Lives,
    /// Rooms whose likes are being read.
    pub seeding: Moka<String, ()>,
    pub commits: Commits,
    /// Likes that are in the table.
    pub known: KnownRows,
    notifier: Notifier,
    given: IntCounter,
}

impl Likes {
    /// Likes made of `parts`. To be called on the runtime that shall send the notifications.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { db, cache, clock, lives, users, im, given } = parts;
        let notifier = Notifier::new(cache.clone(), users, im);
        let (seeding, commits, known) = (seed::single_flight(), Commits::default(), KnownRows::default());
        Self(Arc::new(Inner { db, cache, clock, lives, seeding, commits, known, notifier, given }))
    }

    /// Gives `count` likes to a room, and tells the room without waiting for it. No statement and
    /// at most two round trips to the cache, once the room is known.
    ///
    /// # Errors
    /// [`Error::OwnRoom`], [`Error::NotInRoom`]; [`Error::Cache`] while likes cannot be counted.
    pub async fn give(&self, live_id: &str, user_id: &str, count: i64) -> Result<LikesView, Error> {
        let inner = &self.0;
        let room = inner.lives.room(live_id).await?;
        if room.anchor_id == user_id {
            return Err(Error::OwnRoom);
        }
        let LikeCounts { mine, total } = self.count(live_id, user_id, count).await?;
        inner.given.inc_by(u64::try_from(count).unwrap_or_default());
        if inner.cache.is_in_process() {
            self.commit().await?;
        }
        crash::point("like.answered");
        inner.notifier.tell(&room, user_id, count);
        Ok(LikesView { count: mine, total })
    }

    /// A call that failed may have been counted and is not repeated: nothing is counted twice.
    async fn count(&self, live_id: &str, user_id: &str, count: i64) -> Result<LikeCounts, Error> {
        let inner = &self.0;
        let mut like = Like { live_id, user_id, count, is_in: false };
        for _ in 0..TRIES {
            match inner.cache.like(like).await? {
                Liked::Counted(counts) => return Ok(counts),
                Liked::Unseeded => self.seed(live_id).await?,
                Liked::NotIn if inner.lives.is_in_room(live_id, user_id).await? => like.is_in = true,
                Liked::NotIn => return Err(Error::NotInRoom),
            }
        }
        Err(Error::Unseeded)
    }
}
