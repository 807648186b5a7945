//! Why a call about the content review failed.

use crate::live;
use crate::media::ReviewError;
use common::failure::{Failure, Kind};
use store::db::{RetryableError, StoreError};
use store::fence::LeaseLost;

/// Why a call about the content review failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The room has no review job, or none of this id.
    #[error("there is no such review job")]
    NoJob,
    /// A picture is not one of the room.
    #[error("the room has no such picture")]
    NoImage,
    /// The callback is not signed for the room that it names.
    #[error("the callback is not signed for this room")]
    NotSigned,
    /// Input that breaks a rule; the text names the field.
    #[error("{0}")]
    Invalid(String),
    /// No job can be started; the text says why.
    #[error("no review job can be started: {0}")]
    Off(&'static str),
    /// The room is over.
    #[error("the live has ended")]
    Ended,
    /// The review service was asked for a job a moment ago.
    #[error("a review job is being started")]
    Starting,
    /// The room could not be read or changed.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The review service failed.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another node leads now, and does the job.
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NoJob | Self::NoImage => Kind::NotFound,
            Self::NotSigned => Kind::Unauthorized,
            Self::Invalid(_) => Kind::Invalid,
            Self::Off(_) | Self::Ended | Self::Starting => Kind::State,
            Self::Live(error) => error.kind(),
            Self::Review(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::LeaseLost(_) => Kind::Internal,
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) | Self::LeaseLost(LeaseLost::Store(error)) => error.is_retryable(),
            Self::Live(error) => error.is_retryable(),
            _ => false,
        }
    }
}
