//! Likes: the types that every implementation shares.

use std::time::Duration;

/// How long likes of a room are kept after the last one, or after they were last kept.
pub(super) const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a warm-up may take.
pub(super) const SEED_LIFE: Duration = Duration::from_secs(60);

/// How long a room is listed at least after a like. The likes are counted after the room is
/// listed, and in another slot: a list that dropped the room in between would lose them.
pub(super) const LISTED: Duration = Duration::from_secs(10);

/// A like that took longer lists its room again, before it is acknowledged.
pub(super) const LIST_AGAIN: Duration = Duration::from_secs(5);

/// Likes that a user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Like<'a> {
    /// The room; holds no colon and no brace.
    pub live_id: &'a str,
    /// The user; not `_`.
    pub user_id: &'a str,
    /// How many.
    pub count: i64,
    /// The user is in the room, though the cache may not know.
    pub is_in: bool,
}

/// What became of a [`Like`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liked {
    /// Not counted: the cache does not know the user to be in the room.
    NotIn,
    /// Not counted: the cache has no likes of the room, or not all. It must be warmed up first.
    Cold,
    /// Counted.
    Counted(LikeCounts),
}

/// Likes of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikeCounts {
    /// Those of the user.
    pub mine: i64,
    /// Those of all.
    pub total: i64,
}

/// Likes of one user in a room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserLikes {
    /// The user.
    pub user_id: String,
    /// All of them, not those that are new.
    pub count: i64,
}

/// The likes of a room while they are collected from the database.
#[derive(Debug)]
pub struct LikeWarmUp {
    pub(super) live_id: String,
    pub(super) name: String,
}

impl LikeWarmUp {
    pub(super) fn new(live_id: &str) -> Self {
        Self { live_id: live_id.to_owned(), name: format!("{:016x}", rand::random::<u64>()) }
    }
}

/// A room that may have likes to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LikedRoom {
    /// The room.
    pub live_id: String,
    /// When it was last liked, in milliseconds since the epoch by the cache's clock.
    pub at_ms: i64,
}

/// Likes of a room that are written, or are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLikes {
    /// The room.
    pub live_id: String,
    /// Of each user; 0 for one whose likes the cache has lost.
    pub users: Vec<UserLikes>,
}
