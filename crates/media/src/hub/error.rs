//! Why somebody may not publish or watch.

use thiserror::Error;

/// Why a stream cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublishError {
    /// [`super::HubLimits::max_publishers`].
    #[error("too many publishers")]
    TooMany,
    /// All windows are as small as they can be and still exceed [`super::HubLimits::max_memory`].
    #[error("no memory left for another stream")]
    Memory,
    /// The stream was just ended; try again.
    #[error("the stream is ending")]
    Ended,
}

/// Why a stream cannot be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WatchError {
    /// Nobody publishes it now.
    #[error("the stream is not up")]
    NotUp,
    /// [`super::HubLimits::max_viewers`].
    #[error("too many viewers")]
    TooMany,
    /// [`super::HubLimits::viewers_per_address`].
    #[error("too many viewers from this address")]
    TooManyFromAddress,
}
