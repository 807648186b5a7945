//! Names in Redis. All that belongs to a channel carries the tag `{b<number>}` of its shard, by
//! which a cluster keeps it in one hash slot.

use std::fmt::{self, Display, Formatter};

use crate::redis::RemoteError;
use crate::shard::shard_of;

/// Names keys and channels.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// Names that start with `prefix`. It must hold no brace, which would take the place of the
    /// shard's tag.
    pub(super) fn new(prefix: &str) -> Result<Self, RemoteError> {
        if prefix.contains(['{', '}']) {
            return Err(RemoteError::Config(format!("the key prefix {prefix:?} holds a brace").into()));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// Something in the slot of a shard.
    pub(super) fn tag(&self, shard: u16) -> String {
        format!("{}{{b{shard}}}", self.prefix)
    }

    /// The hash of a channel's epoch, offset and pace.
    pub(super) fn position<'a>(&'a self, channel: &'a str) -> impl Display + 'a {
        self.named(channel, "position")
    }

    /// The hash of a channel's kept messages by offset.
    pub(super) fn messages<'a>(&'a self, channel: &'a str) -> impl Display + 'a {
        self.named(channel, "messages")
    }

    /// The channel of Redis.
    pub(super) fn channel<'a>(&'a self, channel: &'a str) -> impl Display + 'a {
        self.named(channel, "channel")
    }

    /// What is there as long as a user may not publish in a channel.
    pub(super) fn pause<'a>(&'a self, channel: &'a str, user: &'a str) -> impl Display + 'a {
        Pause { prefix: &self.prefix, channel, user }
    }

    fn named<'a>(&'a self, channel: &'a str, kind: &'static str) -> Named<'a> {
        Named { prefix: &self.prefix, kind, channel }
    }
}

/// A name, written where it is needed.
struct Named<'a> {
    prefix: &'a str,
    kind: &'static str,
    channel: &'a str,
}

impl Display for Named<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { prefix, kind, channel } = self;
        write!(f, "{prefix}{{b{}}}:{kind}:{channel}", shard_of(channel))
    }
}

struct Pause<'a> {
    prefix: &'a str,
    channel: &'a str,
    user: &'a str,
}

impl Display for Pause<'_> {
    /// The length of the channel's name tells where that of the user begins.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { prefix, channel, user } = self;
        write!(f, "{prefix}{{b{}}}:pause:{}:{channel}:{user}", shard_of(channel), channel.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_names_of_a_channel_share_the_tag_of_its_shard() {
        let keys = Keys::new("demo:").unwrap();
        let tag = keys.tag(shard_of("room:{1}"));
        assert_eq!(keys.position("room:{1}").to_string(), format!("{tag}:position:room:{{1}}"));
        assert_eq!(keys.channel("room:{1}").to_string(), format!("{tag}:channel:room:{{1}}"));
        assert!(keys.pause("room:{1}", "u").to_string().starts_with(&tag));
    }

    #[test]
    fn pauses_of_different_users_have_different_names() {
        let keys = Keys::new("").unwrap();
        let names = [("a", "b:c"), ("a:b", "c"), ("a", "1:b"), ("a:1:x", "y"), ("a", "x:5:y")];
        let names: std::collections::HashSet<_> =
            names.iter().map(|(channel, user)| keys.pause(channel, user).to_string()).collect();
        assert_eq!(names.len(), 5);
    }

    #[test]
    fn a_prefix_with_a_brace_is_refused() {
        assert!(Keys::new("a{b}").is_err() && Keys::new("}").is_err());
    }
}
