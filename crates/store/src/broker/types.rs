//! What is published, where in a channel it stands, and how it is heard.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// Names one unbroken run of a channel's offsets; shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Epoch(pub u64);

impl Epoch {
    /// One that no channel has.
    pub(super) fn fresh() -> Self {
        Self(rand::random())
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is not an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an epoch is 16 hex digits")]
pub struct NotAnEpoch;

impl FromStr for Epoch {
    type Err = NotAnEpoch;

    fn from_str(text: &str) -> Result<Self, NotAnEpoch> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let epoch = is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        epoch.map(Self).ok_or(NotAnEpoch)
    }
}

/// A place in a channel: after the message of that offset; offset 0 is before the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Of which run of offsets.
    pub epoch: Epoch,
    /// Of the last message up to here.
    pub offset: u64,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// Rises by one in an epoch.
    pub offset: u64,
    /// Milliseconds since the Unix epoch by the broker's clock; never falls in an epoch.
    pub at_ms: i64,
    /// What was published.
    pub body: Bytes,
}

/// How much of a channel is kept. 0 messages: none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// At most so many of the last messages.
    pub messages: u32,
    /// None that is so old.
    pub time: Duration,
    /// For how long the channel is known while nothing was published in it and nobody follows it.
    pub idle: Duration,
}

/// Limits that hold over all nodes, checked in the same step as the publication.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Pace<'a> {
    /// At most so many messages in the channel in a second of the broker's clock.
    pub per_second: Option<u32>,
    /// At least so long between two messages of this user in the channel (slow mode).
    pub user: Option<(&'a str, Duration)>,
}

/// What became of a publication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Published {
    /// It has its place.
    At {
        /// Its place.
        position: Position,
        /// How many nodes heard it, as far as the broker knows.
        nodes: u32,
    },
    /// A limit of the [`Pace`] forbids it.
    TooFast {
        /// When to try again.
        retry_after: Duration,
    },
}

/// Kept messages of a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// The channel's present position.
    pub position: Position,
    /// Oldest first.
    pub publications: Vec<Publication>,
    /// Whether all messages between the position asked for (or the epoch's beginning) and the
    /// present one are there.
    pub is_complete: bool,
}

impl History {
    /// `publications` are distinct ones of the present epoch, after `since` if that is of it too.
    pub(super) fn new(since: Option<Position>, position: Position, publications: Vec<Publication>) -> Self {
        let since = since.unwrap_or(Position { offset: 0, ..position });
        let missed = position.offset.checked_sub(since.offset).filter(|_| since.epoch == position.epoch);
        let is_complete = missed == u64::try_from(publications.len()).ok();
        Self { position, publications, is_complete }
    }
}

/// What a node hears of the channels that it has subscribed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A message.
    Publication {
        /// Where.
        channel: Arc<str>,
        /// Of which run of offsets.
        epoch: Epoch,
        /// What.
        publication: Publication,
    },
    /// The subscription to these was interrupted and is there again: check their positions.
    Interrupted {
        /// Which ones.
        channels: Vec<Arc<str>>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_16_hex_digits() {
        let epoch = Epoch(0xab);
        assert_eq!(epoch.to_string(), "00000000000000ab");
        assert_eq!("00000000000000ab".parse(), Ok(epoch));
        assert_eq!(u64::MAX, "ffffffffffffffff".parse().map_or(0, |Epoch(number)| number));
        for wrong in ["", "ab", "+0000000000000ab", "00000000000000ag", "000000000000000ab"] {
            assert_eq!(wrong.parse::<Epoch>(), Err(NotAnEpoch), "{wrong:?}");
        }
    }

    #[test]
    fn a_history_is_complete_only_if_nothing_between_is_missing() {
        let at = |offset| Publication { offset, at_ms: 0, body: Bytes::new() };
        let position = |epoch, offset| Position { epoch: Epoch(epoch), offset };
        let complete = |since, offsets: &[u64]| {
            let publications = offsets.iter().map(|offset| at(*offset)).collect();
            History::new(since, position(1, 3), publications).is_complete
        };
        assert!(complete(None, &[1, 2, 3]) && complete(Some(position(1, 2)), &[3]));
        assert!(complete(Some(position(1, 3)), &[]));
        assert!(!complete(None, &[2, 3]) && !complete(Some(position(1, 1)), &[3]));
        assert!(!complete(Some(position(2, 2)), &[3]), "of another epoch");
        assert!(!complete(Some(position(1, 4)), &[]), "of the future");
    }
}
