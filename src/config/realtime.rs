//! `realtime`: rooms and chat over WebSocket.

use serde::Serialize;

use super::section::Section;

/// `realtime` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RealtimeConfig {
    /// Whether the mesh calls of the barrage protocol need the server credentials.
    pub mesh_auth: bool,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        Self { mesh_auth: true }
    }
}

impl RealtimeConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self { mesh_auth: section.flag("mesh_auth", Self::default().mesh_auth) }
    }
}
