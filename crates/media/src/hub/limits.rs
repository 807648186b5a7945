//! What a hub allows.

use std::time::Duration;

/// Limits of a hub; the defaults are those of the configuration's section `media`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubLimits {
    /// Publishers at the same time. Streams taken from other nodes do not count.
    pub max_publishers: usize,
    /// Viewers at the same time, of all streams.
    pub max_viewers: usize,
    /// Viewers from one address (IPv6: from one /64).
    pub viewers_per_address: usize,
    /// What a publisher may send, as a mean of ten seconds.
    pub max_bitrate_kbps: u64,
    /// Bytes that all windows (and those of HLS) may hold together.
    pub max_memory: usize,
    /// Bytes that the window of one stream may hold.
    pub max_window: usize,
    /// How long viewers of a stream wait for its publisher's return.
    pub grace: Duration,
    /// A viewer that is this far behind goes on at the newest keyframe.
    pub skip_after: Duration,
    /// A viewer that is this far behind is closed.
    pub close_after: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            max_publishers: 200,
            max_viewers: 5_000,
            viewers_per_address: 200,
            max_bitrate_kbps: 20_000,
            max_memory: 1024 << 20,
            max_window: 16 << 20,
            grace: Duration::from_secs(30),
            skip_after: Duration::from_secs(2),
            close_after: Duration::from_secs(8),
        }
    }
}
