//! Why a call about likes failed.

use std::sync::Arc;

use crate::live;
use common::failure::{Failure, Kind};
use store::cache::CacheError;
use store::db::{RetryableError, StoreError};
use store::fence::LeaseLost;

/// Why a call about likes failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user is not in the room.
    #[error("only who is in the room may like it")]
    NotInRoom,
    /// The user is the room's anchor.
    #[error("the anchor may not like the own room")]
    OwnRoom,
    /// The likes were lost while they were read from the database, again and again.
    #[error("the cache loses the likes of the room")]
    Unseeded,
    /// They could not be read from the database, which several callers waited for.
    #[error(transparent)]
    Seed(Arc<Error>),
    /// The room could not be looked up.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Another node leads now, and does the job.
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
}

impl Error {
    /// Whether trying again does not help: the database refuses what is written.
    pub(super) fn is_for_good(&self) -> bool {
        matches!(self, Self::Store(error) if !error.is_passing())
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotInRoom | Self::OwnRoom => Kind::Forbidden,
            Self::Unseeded => Kind::Unavailable,
            Self::Seed(error) => error.kind(),
            Self::Live(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Cache(error) => error.kind(),
            Self::LeaseLost(_) => Kind::Internal,
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::LeaseLost(LeaseLost::Store(error)) => error.is_retryable(),
            _ => false,
        }
    }
}
