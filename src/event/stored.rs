//! An event as it is read from the log.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::DomainEvent;

/// An event as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// The room.
    pub live_id: String,
    /// Place among the room's events.
    pub seq: i64,
    /// Kind, as stored.
    pub kind: String,
    /// The event; None when a newer version wrote one that this version does not know.
    pub event: Option<DomainEvent>,
    /// When it happened, in whole seconds.
    pub at: DateTime<Utc>,
}

impl StoredEvent {
    /// How long a lane rests before an event that this version does not know.
    pub const REST: Duration = Duration::from_secs(5);
    /// Rests until it is passed over: ten minutes.
    const RESTS: i32 = 120;

    /// Whether the event is to be left to a newer version of the server: while versions are changed,
    /// both run. In the end it is passed over, lest the lane stands still for good.
    #[must_use]
    pub fn is_too_new(&self, attempts: i32) -> bool {
        self.event.is_none() && attempts < Self::RESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_left_to_it_for_a_while() {
        let event = |event| StoredEvent {
            live_id: "1".to_owned(),
            seq: 1,
            kind: "of_the_future".to_owned(),
            event,
            at: DateTime::UNIX_EPOCH,
        };
        assert!(event(None).is_too_new(0));
        assert!(!event(None).is_too_new(StoredEvent::RESTS), "the lane does not stand still for good");
        assert!(!event(Some(DomainEvent::LiveStarted)).is_too_new(0));
    }
}
