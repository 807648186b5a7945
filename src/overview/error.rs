//! Why the overview cannot be given.

use std::sync::Arc;

use crate::{callback, censor, gift, live};
use common::failure::{Failure, Kind};
use store::db::StoreError;

/// Why the overview cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rooms could not be counted.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The gifts could not be counted.
    #[error(transparent)]
    Gift(#[from] gift::Error),
    /// The callbacks could not be counted.
    #[error(transparent)]
    Callback(#[from] callback::Error),
    /// The pictures could not be counted.
    #[error(transparent)]
    Review(#[from] censor::Error),
    /// A computation failed that several callers waited for.
    #[error(transparent)]
    Shared(Arc<Error>),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Live(error) => error.kind(),
            Self::Gift(error) => error.kind(),
            Self::Callback(error) => error.kind(),
            Self::Review(error) => error.kind(),
            Self::Shared(error) => error.kind(),
        }
    }
}
