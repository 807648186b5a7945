//! Why a call about statistics failed.

use crate::error::{Failure, Kind};
use crate::live;
use crate::store::db::{RetryableError, StoreError};

/// Why a call about statistics failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The room could not be looked up.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Live(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}
