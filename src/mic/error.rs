//! Why a call about seats failed.

use crate::live;
use crate::user;
use common::failure::{Failure, Kind};
use store::db::{RetryableError, StoreError};

/// Why a call about seats failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is neither the user on the seat nor the room's anchor.
    #[error("only the user on the seat and the anchor of the room may do this")]
    NotAllowed,
    /// The caller is not the room's anchor.
    #[error("only the anchor of the room may do this")]
    NotAnchor,
    /// The user is not in the room.
    #[error("one must be in the room to take a seat")]
    NotInRoom,
    /// A backend has forbidden the user to speak in the room.
    #[error("the user is forbidden to take a seat in this room")]
    Forbidden,
    /// The live is over.
    #[error("the live has ended")]
    Ended,
    /// The user is on no seat.
    #[error("the user is on no seat")]
    NoSeat,
    /// The room could not be looked up.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The user could not be looked up.
    #[error(transparent)]
    User(#[from] user::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotAllowed | Self::NotAnchor | Self::NotInRoom | Self::Forbidden => Kind::Forbidden,
            Self::Ended => Kind::State,
            Self::NoSeat => Kind::NotFound,
            Self::Live(error) => error.kind(),
            Self::User(error) => error.kind(),
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
