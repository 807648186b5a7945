//! The streams of this node: who publishes them, and who watches.
//!
//! A publisher pushes tags ([`Publisher::push`]), each of which becomes one [`Frame`] that all viewers share.
//! A stream keeps the frames since its newest keyframe, and the last two seconds, in a window; a viewer is a
//! position in it ([`Viewer`]), so that somebody who does not read holds nothing. What all windows hold is
//! bounded by [`HubLimits::max_memory`]: the largest gives up its frames and keeps its newest keyframe.

mod audience;
mod error;
mod frame;
mod info;
mod limits;
mod memory;
mod meter;
mod observer;
mod publisher;
mod registry;
mod stats;
mod stream;
mod streams;
mod viewer;
mod window;

pub use audience::Audience;
pub(crate) use audience::{network, release};
pub use error::{PublishError, WatchError};
pub use frame::{Frame, FrameKind};
pub(crate) use info::Pace;
pub use info::{StreamInfo, ViewerCounts};
pub use limits::HubLimits;
pub use memory::Memory;
pub(crate) use meter::Meter;
pub use observer::{DownReason, Observer, Silent};
pub use publisher::{Publisher, PushError};
pub use registry::Hub;
pub use stats::HubStats;
pub use viewer::{Taken, Viewer, ViewerEnd};

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;

/// The name of a stream: its path, such as `live/room`. Cheap to copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for StreamName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl std::borrow::Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How a publisher sends, or a viewer receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// RTMP, over TLS too.
    Rtmp,
    /// FLV over HTTP.
    HttpFlv,
    /// FLV over a WebSocket.
    WebSocket,
    /// HLS. Its viewers have no connection, so none are counted here.
    Hls,
    /// Another node of the same installation, which has publishers or viewers of its own.
    Node,
}

impl Protocol {
    /// All of them, in the order of [`Protocol::index`].
    pub const ALL: [Self; 5] = [Self::Rtmp, Self::HttpFlv, Self::WebSocket, Self::Hls, Self::Node];

    /// A name for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::HttpFlv => "http_flv",
            Self::WebSocket => "websocket",
            Self::Hls => "hls",
            Self::Node => "node",
        }
    }
}

/// Where a publisher comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// How it sends.
    pub protocol: Protocol,
    /// Its address, if it is known.
    pub peer: Option<SocketAddr>,
}

#[cfg(test)]
mod tests;
