//! `live`: time-outs of rooms.

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
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            viewer_timeout_s: section.number("viewer_timeout_s", default.viewer_timeout_s, 1..=86_400),
            anchor_timeout_s: section.number("anchor_timeout_s", default.anchor_timeout_s, 1..=86_400),
        }
    }
}
