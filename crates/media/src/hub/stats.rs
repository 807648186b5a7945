//! Counts for metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::Protocol;

/// What a hub has counted since it began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Publishers now.
    pub publishers: usize,
    /// Viewers now, by protocol in the order of [`Protocol::ALL`].
    pub viewers: [usize; 5],
    /// Bytes of tags that publishers sent.
    pub bytes_in: u64,
    /// Bytes of tags that viewers took, by protocol in the order of [`Protocol::ALL`].
    pub bytes_out: [u64; 5],
    /// Tags of publishers that were not passed on: empty, unknown, or before the first keyframe.
    pub dropped_tags: u64,
    /// Frames that viewers did not get since they were too slow.
    pub skipped_frames: u64,
    /// Viewers that were closed since they were too slow.
    pub slow_viewers: u64,
    /// Publishers that replaced another.
    pub takeovers: u64,
    /// Windows that were given up for want of memory.
    pub trimmed_windows: u64,
    /// Bytes held by all windows.
    pub memory: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) publishers: AtomicUsize,
    pub(super) viewers: [AtomicUsize; 5],
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: [AtomicU64; 5],
    pub(super) dropped_tags: AtomicU64,
    pub(super) skipped_frames: AtomicU64,
    pub(super) slow_viewers: AtomicU64,
    pub(super) takeovers: AtomicU64,
    pub(super) trimmed_windows: AtomicU64,
}

impl Counters {
    pub(super) fn viewers(&self, protocol: Protocol) -> &AtomicUsize {
        let [rtmp, http_flv, websocket, hls, node] = &self.viewers;
        pick(protocol, rtmp, http_flv, websocket, hls, node)
    }

    pub(super) fn bytes_out(&self, protocol: Protocol) -> &AtomicU64 {
        let [rtmp, http_flv, websocket, hls, node] = &self.bytes_out;
        pick(protocol, rtmp, http_flv, websocket, hls, node)
    }

    pub(super) fn snapshot(&self, memory: usize) -> HubStats {
        HubStats {
            publishers: self.publishers.load(Ordering::Relaxed),
            viewers: Protocol::ALL.map(|protocol| self.viewers(protocol).load(Ordering::Relaxed)),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: Protocol::ALL.map(|protocol| self.bytes_out(protocol).load(Ordering::Relaxed)),
            dropped_tags: self.dropped_tags.load(Ordering::Relaxed),
            skipped_frames: self.skipped_frames.load(Ordering::Relaxed),
            slow_viewers: self.slow_viewers.load(Ordering::Relaxed),
            takeovers: self.takeovers.load(Ordering::Relaxed),
            trimmed_windows: self.trimmed_windows.load(Ordering::Relaxed),
            memory,
        }
    }
}

fn pick<'a, T>(
    protocol: Protocol,
    rtmp: &'a T,
    http_flv: &'a T,
    websocket: &'a T,
    hls: &'a T,
    node: &'a T,
) -> &'a T {
    match protocol {
        Protocol::Rtmp => rtmp,
        Protocol::HttpFlv => http_flv,
        Protocol::WebSocket => websocket,
        Protocol::Hls => hls,
        Protocol::Node => node,
    }
}
