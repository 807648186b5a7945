//! `live`: time-outs of rooms.

use std::time::Duration;

use serde::Serialize;

use super::section::Section;

/// `live` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveConfig {
    /// A viewer silent for this many seconds is out.
    pub viewer_timeout_s: u64,
    /// An anchor silent for this many seconds ends the live.
    pub anchor_timeout_s: u64,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self { viewer_timeout_s: 20, anchor_timeout_s: 600 }
    }
}

impl LiveConfig {
    /// From one heartbeat of a WebSocket connection to the next: 6 s, or less where a shorter time-out would
    /// put those out who are connected. Two may fail before their user is out.
    #[must_use]
    pub fn heartbeat_every(&self) -> Duration {
        let shortest = Duration::from_secs(self.viewer_timeout_s.min(self.anchor_timeout_s));
        Duration::from_secs(6).min(shortest * 3 / 10)
    }

    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            viewer_timeout_s: section.number("viewer_timeout_s", default.viewer_timeout_s, 1..=86_400),
            anchor_timeout_s: section.number("anchor_timeout_s", default.anchor_timeout_s, 1..=86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_of_connections_follow_the_shorter_time_out() {
        let every = |viewer_timeout_s, anchor_timeout_s| {
            LiveConfig { viewer_timeout_s, anchor_timeout_s }.heartbeat_every().as_millis()
        };
        assert_eq!(LiveConfig::default().heartbeat_every(), Duration::from_secs(6));
        assert_eq!((every(3600, 3600), every(10, 600), every(1, 600)), (6000, 3000, 300));
        assert_eq!(every(60, 2), 600);
    }
}
