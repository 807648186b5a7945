//! Why a call about items failed.

use crate::live;
use common::failure::{Failure, Kind};
use store::db::{RetryableError, StoreError};

/// Why a call about items failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such item in the room, or no recording of it.
    #[error("there is no such item")]
    NotFound,
    /// The room has the item already, or it is there twice.
    #[error("the item exists already")]
    Exists,
    /// The room would have more than 100 items.
    #[error("items exceed in live room")]
    Exceeded,
    /// Viewers do not see the item, so it cannot be explained to them.
    #[error("the item is hidden and cannot be demonstrated")]
    Hidden,
    /// The live is over, and nothing is explained any more.
    #[error("the live has ended")]
    Ended,
    /// The order that is asked for does not fit to what is there.
    #[error("{0}")]
    Order(String),
    /// The merged map does not fit.
    #[error("extends: {0}")]
    Extends(String),
    /// The room could not be used.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Exists => Kind::AlreadyExists,
            Self::Exceeded => Kind::ItemsExceeded,
            Self::Hidden | Self::Ended | Self::Order(_) => Kind::State,
            Self::Extends(_) => Kind::Invalid,
            Self::Live(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Live(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}
