//! What can go wrong with the broker.

use std::borrow::Cow;
use std::sync::Arc;

use crate::redis::RemoteError;
use common::failure::{Failure, Kind};

/// A call of the broker that failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BrokerError {
    /// A call of Redis failed; whether it was executed may be unknown.
    #[error("the broker failed: {0}")]
    Redis(#[from] RemoteError),
    /// This node does not take in what it hears; the call was not executed.
    #[error("this node is too slow to hear more")]
    Busy,
    /// Redis did not confirm a subscription in time.
    #[error("the subscription was not confirmed in time")]
    Unconfirmed,
    /// The metrics cannot be made.
    #[error("the broker has no metrics: {0}")]
    Metrics(Arc<str>),
}

impl Failure for BrokerError {
    fn kind(&self) -> Kind {
        match self {
            Self::Redis(error) => error.kind(),
            Self::Busy | Self::Unconfirmed => Kind::Unavailable,
            Self::Metrics(_) => Kind::Internal,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed("the message broker is unavailable")
    }
}
