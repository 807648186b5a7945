//! The names of the keys in Redis. What belongs to a shard carries its tag `{p<number>}`, by
//! which a cluster keeps it in one hash slot.

use super::CacheError;
use super::presence;

/// Names keys.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// Names that start with `prefix`. It must hold no brace, which would take the place of the
    /// shard's tag.
    pub(super) fn new(prefix: &str) -> Result<Self, CacheError> {
        if prefix.contains(['{', '}']) {
            return Err(CacheError::Config(format!("the key prefix {prefix:?} holds a brace").into()));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// A plain value.
    pub(super) fn plain(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The channel of announcements.
    pub(super) fn channel(&self) -> String {
        self.plain("announcements")
    }

    /// The sorted set of the members of a shard, by when they were last heard.
    pub(super) fn seen(&self, shard: u16) -> String {
        self.of_shard(shard, "seen")
    }

    /// The hash of how many are in each room of a shard.
    pub(super) fn online(&self, shard: u16) -> String {
        self.of_shard(shard, "online")
    }

    /// The sorted set of the live rooms of a shard, by when their anchor was last heard.
    pub(super) fn anchors(&self, shard: u16) -> String {
        self.of_shard(shard, "anchors")
    }

    /// The sorted set of the members of a shard whose removal is not acknowledged, by when they were last heard.
    pub(super) fn removed(&self, shard: u16) -> String {
        self.of_shard(shard, "removed")
    }

    /// Since when missing heartbeats count in a shard.
    pub(super) fn since(&self, shard: u16) -> String {
        self.of_shard(shard, "since")
    }

    /// Written to see whether the server of a shard takes writes.
    pub(super) fn trial(&self, shard: u16) -> String {
        self.of_shard(shard, "trial")
    }

    /// The hash of the counters of a room.
    pub(super) fn counters(&self, live_id: &str) -> String {
        self.of_shard(presence::shard_of(live_id), &format!("counters:{live_id}"))
    }

    /// The sorted set of the rooms of a shard that may have likes to write, by when they were last
    /// liked.
    pub(super) fn liked(&self, shard: u16) -> String {
        self.of_shard(shard, "liked")
    }

    /// The hash of the likes in a room: QNLiveKit_Server's own, which is why it has no tag.
    pub(super) fn likes(&self, live_id: &str) -> String {
        self.plain(&format!("like:{live_id}"))
    }

    /// What tells that [`Self::likes`] holds all that the database does.
    pub(super) fn likes_seeded(&self, live_id: &str) -> String {
        self.beside_likes(live_id, "seeded")
    }

    /// The set of users whose likes in a room are not written.
    pub(super) fn likes_dirty(&self, live_id: &str) -> String {
        self.beside_likes(live_id, "dirty")
    }

    /// What is collected to become [`Self::likes`].
    pub(super) fn likes_seed(&self, live_id: &str, seed: &str) -> String {
        self.beside_likes(live_id, &format!("seed:{seed}"))
    }

    /// QNLiveKit_Server's set of the rooms that were liked in a second.
    pub(super) fn old_like_rooms(&self, second: i64) -> String {
        self.plain(&format!("like_rooms:{second}"))
    }

    /// QNLiveKit_Server's set of the users who liked a room in a second.
    pub(super) fn old_like_users(&self, live_id: &str, second: i64) -> String {
        self.plain(&format!("like_users:{live_id}:{second}"))
    }

    /// In the slot of [`Self::likes`]: its whole name, prefix included, is the tag.
    fn beside_likes(&self, live_id: &str, name: &str) -> String {
        format!("{}{{{}}}:{name}", self.prefix, self.likes(live_id))
    }

    fn of_shard(&self, shard: u16, name: &str) -> String {
        format!("{}{{p{shard}}}:{name}", self.prefix)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_shard_share_a_tag() {
        let keys = Keys::new("demo:").unwrap();
        let shard = presence::shard_of("1");
        assert_eq!(keys.seen(7), "demo:{p7}:seen");
        assert_eq!(keys.counters("1"), format!("demo:{{p{shard}}}:counters:1"));
        assert_eq!(keys.plain("token:x"), "demo:token:x");
    }

    #[test]
    fn the_likes_are_called_as_the_old_server_calls_them() {
        let keys = Keys::new("").unwrap();
        assert_eq!(keys.likes("7"), "like:7");
        assert_eq!(keys.likes_dirty("7"), "{like:7}:dirty");
        assert_eq!(keys.old_like_users("7", 9), "like_users:7:9");
        let keys = Keys::new("demo:").unwrap();
        assert_eq!(keys.likes_seeded("7"), "demo:{demo:like:7}:seeded");
    }

    #[test]
    fn a_prefix_with_a_brace_is_refused() {
        assert!(Keys::new("a{b}").is_err() && Keys::new("}").is_err());
    }
}
