//! Why a message was not published, or a channel cannot be followed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Failure, Kind, Wait};
use store::broker::BrokerError;

/// Why a call of the hub failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HubError {
    /// Too many messages, of the user or in the room; after this long it works again.
    #[error("too many messages, try again in {}", Wait(*.0))]
    TooFast(Duration),
    /// The broker cannot be reached.
    #[error(transparent)]
    Broker(Arc<BrokerError>),
    /// The server is going down.
    #[error("the server is shutting down")]
    Stopped,
}

impl From<BrokerError> for HubError {
    fn from(error: BrokerError) -> Self {
        Self::Broker(Arc::new(error))
    }
}

impl Failure for HubError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooFast(wait) => Kind::RateLimited(*wait),
            Self::Broker(error) => error.kind(),
            Self::Stopped => Kind::Unavailable,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}
