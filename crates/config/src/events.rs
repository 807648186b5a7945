//! `events`: the archive of what happened in rooms.

use serde::Serialize;

use super::section::Section;

/// `events` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventsConfig {
    /// How many hours the events of rooms are kept.
    pub keep_hours: u64,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { keep_hours: 72 }
    }
}

impl EventsConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self { keep_hours: section.number("keep_hours", Self::default().keep_hours, 1..=87_600) }
    }
}
