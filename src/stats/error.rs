//! Why a call about statistics failed.

use std::time::Duration;

use crate::live;
use common::failure::{Failure, Kind};
use store::db::{RetryableError, StoreError};

/// After how long a caller may ask again whether a room takes more rows of theirs; it does not by itself.
const ROWS_WAIT: Duration = Duration::from_secs(3600);

/// Why a call about statistics failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The room could not be looked up.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The caller's reports would make more rows in a room than they may.
    #[error("too many different statistics of one user in the room {0}")]
    TooManyRows(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Live(error) => error.kind(),
            Self::TooManyRows(_) => Kind::RateLimited(ROWS_WAIT),
            Self::Store(error) => error.kind(),
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}
