//! The names of the keys in Redis. What belongs to a shard carries its tag `{p<number>}`, by
//! which a cluster keeps it in one hash slot.

use super::error::CacheError;
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

    /// Since when silence counts in a shard.
    pub(super) fn since(&self, shard: u16) -> String {
        self.of_shard(shard, "since")
    }

    /// The hash of the counters of a room.
    pub(super) fn counters(&self, live_id: &str) -> String {
        self.of_shard(presence::shard_of(live_id), &format!("counters:{live_id}"))
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
    fn a_prefix_with_a_brace_is_refused() {
        assert!(Keys::new("a{b}").is_err() && Keys::new("}").is_err());
    }
}
