//! Who is told what happens to streams.

use super::{Source, StreamInfo, StreamName};

/// Why a stream has no publisher any more, or why a publisher was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownReason {
    /// The encoder said that it is done.
    Finished,
    /// Its connection ended.
    Disconnected,
    /// Nothing came for too long.
    Silent,
    /// Somebody else publishes the stream now.
    Replaced,
    /// More than the bitrate that is allowed.
    TooFast,
    /// The encoder broke the protocol.
    Protocol(String),
    /// This side wanted it, for the reason that is given.
    Cut(String),
}

impl DownReason {
    /// A word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Disconnected => "disconnected",
            Self::Silent => "silent",
            Self::Replaced => "replaced",
            Self::TooFast => "too_fast",
            Self::Protocol(_) => "protocol",
            Self::Cut(_) => "cut",
        }
    }
}

impl std::fmt::Display for DownReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finished => formatter.write_str("finished"),
            Self::Disconnected => formatter.write_str("connection lost"),
            Self::Silent => formatter.write_str("nothing was sent for too long"),
            Self::Replaced => formatter.write_str("replaced by another publisher"),
            Self::TooFast => formatter.write_str("the bitrate is above what is allowed"),
            Self::Protocol(what) => write!(formatter, "protocol error: {what}"),
            Self::Cut(why) => formatter.write_str(why),
        }
    }
}

/// Is told what happens. Calls come from the tasks of publishers, in the order of one stream's events; they
/// must return at once.
pub trait Observer: Send + Sync + 'static {
    /// The first frame of a stream that was not up.
    fn up(&self, stream: &StreamInfo);
    /// Another publisher took a stream over that is up and stays it.
    fn replaced(&self, stream: &StreamName, by: &Source) {
        let _ = (stream, by);
    }
    /// Codec or size of a stream that is up are others than before.
    fn changed(&self, stream: &StreamInfo) {
        let _ = stream;
    }
    /// A stream that was up has no publisher any more. It may come back, and then is up again.
    fn down(&self, stream: &StreamName, reason: &DownReason);
    /// Nobody came back: viewers were told that the stream is over.
    fn ended(&self, stream: &StreamName) {
        let _ = stream;
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn up(&self, _: &StreamInfo) {}
    fn down(&self, _: &StreamName, _: &DownReason) {}
}
