//! What a server allows.

use std::time::Duration;

/// Limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at the same time; more are closed at once.
    pub max_connections: usize,
    /// Connections from one address (IPv6: from one /64) that do not publish or play yet.
    pub strangers_per_address: usize,
    /// From the connection to `publish` or `play`, TLS and the question at the gate included.
    pub negotiation: Duration,
    /// How long a publisher may send nothing.
    pub silence: Duration,
    /// How long a viewer may take nothing.
    pub stall: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_connections: 8_192,
            strangers_per_address: 16,
            negotiation: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            stall: Duration::from_secs(8),
        }
    }
}
