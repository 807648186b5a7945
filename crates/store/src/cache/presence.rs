//! Who is in which room: the types that every implementation shares, and how rooms are spread.

use std::fmt;

pub(super) use crate::shard::{SHARDS, shard_of};

/// How long cached counters of a room live without being put again, in milliseconds.
pub(super) const COUNTERS_LIFE_MS: i64 = 60_000;

/// A user in a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// The room; holds no colon.
    pub live_id: String,
    /// The user: up to 64 characters of any kind.
    pub user_id: String,
}

impl Member {
    /// A user in a room.
    pub fn new(live_id: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self { live_id: live_id.into(), user_id: user_id.into() }
    }

    /// Reads `live_id:user_id`; the user's id may hold further colons.
    pub(super) fn decode(text: &str) -> Option<Self> {
        text.split_once(':').map(|(live_id, user_id)| Self::new(live_id, user_id))
    }
}

impl fmt::Display for Member {
    /// The form in which the cache stores a member: `live_id:user_id`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.live_id, self.user_id)
    }
}

/// `live_id:user_id`, the form in which the cache stores a member.
pub(super) fn encode(live_id: &str, user_id: &str) -> String {
    format!("{live_id}:{user_id}")
}

/// A user going into a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enter<'a> {
    /// The room; holds no colon.
    pub live_id: &'a str,
    /// The user.
    pub user_id: &'a str,
    /// The room that the user was in and leaves by this. The room entered itself is ignored.
    pub former: Option<&'a str>,
    /// The view is the user's first of this room.
    pub new_visitor: bool,
    /// Counts as a view: see [`CROWDED_VIEWS`].
    pub count_view: bool,
    /// The anchor of the room, to answer whether they are in; entering as the anchor counts as
    /// being heard.
    pub anchor_id: &'a str,
}

/// From so many views on a room's cached counters are raised by each view, and so may be off by a
/// few until they expire; below, a view drops them, and they are counted anew.
pub const CROWDED_VIEWS: i64 = 1000;

/// Counters of a room, to be kept unless somebody viewed it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountersEntry<'a> {
    /// The room.
    pub live_id: &'a str,
    /// [`RoomState::version`] as it was before counting.
    pub version: i64,
    /// The counters.
    pub counters: Counters,
}

/// Numbers of a room that the database knows and the cache repeats for a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Views.
    pub pv: i64,
    /// Visitors.
    pub uv: i64,
    /// Taken microphone seats.
    pub mics: i64,
}

/// What the cache knows of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomState {
    /// How many users are in.
    pub online: u64,
    /// Whether the anchor is in.
    pub anchor_in: bool,
    /// The counters, unless nobody put them within the last minute.
    pub counters: Option<Counters>,
    /// Changes with each view, so that counters counted before it are not put after it.
    pub version: i64,
}

/// The answer to a question for those who timed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimedOut {
    /// The shard does not know since when it is watched: its contents were lost, or never there.
    Lost,
    /// It has not been watched for a whole time-out yet; nobody counts as timed out.
    Waiting,
    /// Those who timed out, the longest overdue first; empty when nobody did. For anchors a member's
    /// `user_id` is empty.
    Found(Vec<Member>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_colons_in_the_user_survive_the_encoding() {
        for user in ["", "a", "a:b::", "😀:é", "\u{0}\n"] {
            let member = Member::new("1453", user);
            assert_eq!(Member::decode(&member.to_string()), Some(member));
        }
        assert_eq!(Member::decode("nocolon"), None);
    }
}
