//! Channels: their names and what is kept of them.

use std::sync::Arc;
use std::time::Duration;

use config::RealtimeConfig;
use store::broker::{Keep, LIFE};

/// For how long a channel of barrage is known that nobody follows and in which nothing was published: anybody may name
/// one. Whoever follows it renews that every few seconds.
const IDLE: Duration = Duration::from_secs(15);

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `room:<live_id>`: those in a room.
    Room,
    /// `user:<user_id>`: one user, on all of their devices.
    User,
    /// `video:<video_id>`: barrage over a video.
    Video,
    /// Any other name: barrage over whatever an app has.
    Other,
    /// `node:<node_id>`: one node of this server, for what is meant for a connection of it.
    Node,
}

impl Kind {
    /// Ids are as long as that at most, in bytes: 64 characters of a user id.
    const MAX_ID: usize = 256;

    fn prefix(self) -> &'static str {
        match self {
            Self::Room => "room:",
            Self::User => "user:",
            Self::Video => "video:",
            Self::Other => "",
            Self::Node => "node:",
        }
    }
}

/// A channel. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    kind: Kind,
    name: Arc<str>,
}

impl Channel {
    /// The channel of kind `kind` for what has this id.
    #[must_use]
    pub fn new(kind: Kind, id: &str) -> Self {
        Self { kind, name: format!("{}{id}", kind.prefix()).into() }
    }

    /// Reads a name, as clients write it; those of nodes are none of theirs.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::any(name).filter(|channel| channel.kind != Kind::Node)
    }

    /// Reads the name of a channel for barrage: `video:<video_id>`, or any other of 1 to 256 visible
    /// characters that is none of a room, a user or a node.
    #[must_use]
    pub fn barrage(name: &str) -> Option<Self> {
        let is_visible = !name.chars().any(|c| c.is_control() || c.is_whitespace());
        if name.is_empty() || name.chars().count() > Kind::MAX_ID || !is_visible {
            return None;
        }
        let reserved = [Kind::Room, Kind::User, Kind::Video, Kind::Node];
        match reserved.into_iter().find(|kind| name.starts_with(kind.prefix())) {
            None => Some(Self { kind: Kind::Other, name: name.into() }),
            Some(Kind::Video) if name.len() > Kind::Video.prefix().len() => {
                Some(Self { kind: Kind::Video, name: name.into() })
            }
            Some(_) => None,
        }
    }

    /// Reads the name of a channel of any kind but [`Kind::Other`].
    pub(super) fn any(name: &str) -> Option<Self> {
        let kinds = [Kind::Room, Kind::User, Kind::Video, Kind::Node];
        let kind = kinds.into_iter().find(|kind| name.starts_with(kind.prefix()))?;
        let id = name.get(kind.prefix().len()..)?;
        let is_id = !id.is_empty() && id.len() <= Kind::MAX_ID && !id.chars().any(char::is_control);
        is_id.then(|| Self { kind, name: name.into() })
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name, on the wire and in the broker.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The id of the room, user, video or node; the whole of another name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.name.get(self.kind.prefix().len()..).unwrap_or_default()
    }

    /// How much of it is kept for those who were away. Barrage is kept for nodes that were cut off.
    pub(super) fn keep(&self, config: &RealtimeConfig) -> Keep {
        let (messages, time, idle) = match self.kind {
            Kind::Room => (config.history_messages, Duration::from_secs(config.history_s), LIFE),
            Kind::User => (config.history_messages.min(200), Duration::from_secs(config.history_s), LIFE),
            Kind::Video | Kind::Other | Kind::Node => (200, Duration::from_secs(60), IDLE),
        };
        Keep { messages, time, idle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_kind_and_an_id() {
        let read = |name: &str| {
            Channel::parse(name)
                .map(|channel| (channel.kind(), channel.id().to_owned(), channel.name().to_string()))
        };
        assert_eq!(read("room:17"), Some((Kind::Room, "17".to_owned(), "room:17".to_owned())));
        assert_eq!(read("user:a:b"), Some((Kind::User, "a:b".to_owned(), "user:a:b".to_owned())));
        assert_eq!(read("video:1"), Some((Kind::Video, "1".to_owned(), "video:1".to_owned())));
        for wrong in [
            "",
            "room",
            "room:",
            "Room:1",
            "node:1",
            "live:1",
            "user:\n",
            &format!("room:{}", "1".repeat(257)),
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert_eq!(Channel::new(Kind::Node, "7"), Channel::any("node:7").expect("a channel"));
    }

    #[test]
    fn barrage_has_any_name_that_nothing_else_has() {
        let kind = |name: &str| Channel::barrage(name).map(|channel| channel.kind());
        assert_eq!(kind("video:1"), Some(Kind::Video));
        for other in ["channel1", "Room:1", "x:user:1", &"\u{5f39}".repeat(256)] {
            assert_eq!(kind(other), Some(Kind::Other), "{other:?}");
        }
        for wrong in
            ["", "room:1", "room:", "user:a", "node:1", "video:", " room:1", "a b", "a\n", &"x".repeat(257)]
        {
            assert_eq!(kind(wrong), None, "{wrong:?}");
        }
    }
}
