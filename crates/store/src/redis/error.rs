//! What can go wrong with Redis.

use std::borrow::Cow;
use std::sync::Arc;

use common::failure::{Failure, Kind};

/// A call of Redis that failed.
///
/// Cloneable, because one round trip to Redis may answer many callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RemoteError {
    /// No connection, or it was lost during the call; whether a write was applied is unknown.
    #[error("Redis cannot be reached: {0}")]
    Unreachable(Arc<str>),
    /// No answer within the deadline of a call; whether a write was applied is unknown.
    #[error("Redis did not answer in time")]
    Deadline,
    /// Redis refused a command (loading its data, no master for the slot, wrong password …).
    #[error("Redis refused a command: {0}")]
    Refused(Arc<str>),
    /// Redis answered with something else than the command is defined to answer.
    #[error("Redis answered unexpectedly: {0}")]
    Unexpected(Arc<str>),
    /// The configuration cannot be used.
    #[error("Redis cannot be configured: {0}")]
    Config(Arc<str>),
}

impl Failure for RemoteError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable(_) | Self::Deadline | Self::Refused(_) => Kind::Unavailable,
            Self::Unexpected(_) | Self::Config(_) => Kind::Internal,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed("the cache is unavailable")
    }
}
