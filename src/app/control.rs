//! What can be asked of a server that runs.

use std::time::Duration;

use super::door::Door;
use crate::rest::Draining;
use config::{Loaded, Reloads};
use realtime::Hub;

/// Stops a server, or gives it another configuration. For one task at a time.
pub struct Control {
    pub(super) door: Door,
    pub(super) draining: Draining,
    pub(super) hub: Hub,
    /// `realtime.drain_s`.
    pub(super) window: Duration,
    pub(super) reloads: Reloads,
}

impl Control {
    /// Stops so that nobody notices: for `realtime.drain_s` the node says that it is not ready, yet serves
    /// who still comes, and closes its WebSocket connections one by one; then as [`Control::stop`].
    pub async fn drain(&self) {
        self.draining.begin();
        self.hub.drain(self.window);
        tokio::time::sleep(self.window).await;
        self.stop().await;
    }

    /// Stops to listen. Running requests may finish, WebSocket connections are closed at once.
    pub async fn stop(&self) {
        self.draining.begin();
        self.hub.drain(Duration::ZERO);
        self.door.close().await;
    }

    /// Takes over what a running server can take over. Answers the sections with other changes, which need
    /// a restart.
    pub fn reload(&self, loaded: &Loaded) -> Vec<&'static str> {
        self.reloads.apply(loaded)
    }
}
