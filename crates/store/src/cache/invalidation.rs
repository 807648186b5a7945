//! Telling every node that something its in-process look-ups may hold has changed.

use std::borrow::Cow;

use serde::Deserialize;
use tokio::sync::broadcast;

/// How many announcements a slow listener may fall behind before it is told that it missed some.
const BACKLOG: usize = 4096;

/// News for look-ups that are held in process.
///
/// A receiver that gets `RecvError::Lagged` has missed some and must treat it as
/// [`Announcement::Resync`]. The announcing node itself may hear of a change twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// Drop what is held of this key.
    Changed {
        /// The kind of thing, such as `user`.
        topic: String,
        /// Which one.
        key: String,
    },
    /// Announcements may have been missed: drop everything.
    Resync,
}

/// The wire form of [`Announcement::Changed`]: JSON.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    topic: Cow<'a, str>,
    key: Cow<'a, str>,
}

impl Message<'_> {
    pub(super) fn encode(topic: &str, key: &str) -> String {
        serde_json::json!({ "topic": topic, "key": key }).to_string()
    }

    /// What another process said; what cannot be read may be about anything.
    pub(super) fn decode(text: &[u8]) -> Announcement {
        match serde_json::from_slice::<Message<'_>>(text) {
            Ok(Message { topic, key }) => {
                Announcement::Changed { topic: topic.into_owned(), key: key.into_owned() }
            }
            Err(_) => Announcement::Resync,
        }
    }
}

/// The listeners of this process.
#[derive(Clone, Debug)]
pub(super) struct Listeners(broadcast::Sender<Announcement>);

impl Listeners {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Announcement> {
        self.0.subscribe()
    }

    pub(super) fn tell(&self, announcement: Announcement) {
        // Fails only when nobody listens.
        let _ = self.0.send(announcement);
    }

    pub(super) fn tell_changed(&self, topic: &str, key: &str) {
        self.tell(Announcement::Changed { topic: topic.to_owned(), key: key.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_wire_and_nonsense_means_anything() {
        let (topic, key) = ("us\"er", "é:{1}");
        let changed = Announcement::Changed { topic: topic.to_owned(), key: key.to_owned() };
        assert_eq!(Message::decode(Message::encode(topic, key).as_bytes()), changed);
        assert_eq!(Message::decode(b"\xff{"), Announcement::Resync);
    }
}
