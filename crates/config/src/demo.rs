//! `demo`: the demo room of the pages.

use serde::Serialize;

use super::section::Section;

/// `demo`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DemoConfig {
    /// Whether anybody who opens the demo room becomes a user of a new name. On in embedded mode.
    pub enable: bool,
}

impl DemoConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self { enable: section.flag("enable", Self::default().enable) }
    }
}
