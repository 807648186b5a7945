//! Why a call of moderation failed.

use crate::live;
use crate::user;
use common::failure::{Failure, Kind};
use realtime::orders::OrderError;
use store::db::{RetryableError, StoreError};
use store::lookup::SharedError;

/// Why a call of moderation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is neither the anchor nor a moderator of the room.
    #[error("only the anchor and the moderators of the room may do this")]
    NotModerator,
    /// The caller is not the room's anchor.
    #[error("only the anchor of the room may do this")]
    NotAnchor,
    /// Nobody moderates an anchor in their own room.
    #[error("the user is the anchor of the room")]
    TargetIsAnchor,
    /// A moderator does not act on another one, nor on themselves.
    #[error("a moderator cannot act on a moderator")]
    TargetIsModerator,
    /// One who may not enter does not moderate.
    #[error("the user is banned from the room")]
    TargetIsBanned,
    /// As many as there may be.
    #[error("there are {0} already")]
    Full(&'static str),
    /// Input that breaks a rule; the text names the field.
    #[error("{0}")]
    Invalid(String),
    /// The message is not kept any more, or never was.
    #[error("there is no such message")]
    NoMessage,
    /// The room could not be read or changed.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The user could not be looked up.
    #[error(transparent)]
    User(#[from] user::Error),
    /// The connections could not be reached.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed in a look-up that several callers waited for.
    #[error(transparent)]
    Lookup(#[from] SharedError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotModerator | Self::NotAnchor | Self::TargetIsModerator => Kind::Forbidden,
            Self::TargetIsAnchor | Self::TargetIsBanned | Self::Full(_) => Kind::State,
            Self::Invalid(_) => Kind::Invalid,
            Self::NoMessage => Kind::NotFound,
            Self::Live(error) => error.kind(),
            Self::User(error) => error.kind(),
            Self::Order(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Lookup(error) => error.kind(),
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
