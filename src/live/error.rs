//! Why a call about rooms failed.

use crate::im::ImError;
use crate::user;
use common::failure::{Failure, Kind};
use common::id::IdError;
use store::cache::CacheError;
use store::db::{RetryableError, StoreError};
use store::fence::LeaseLost;
use store::lookup::SharedError;

/// Why a call about rooms failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such room, or it is deleted.
    #[error("there is no such room")]
    NotFound,
    /// The caller is not the room's anchor.
    #[error("only the anchor of the room may do this")]
    NotAnchor,
    /// The live is over.
    #[error("the live has ended")]
    Ended,
    /// The live has not begun, or is over.
    #[error("the room is not live")]
    NotLive,
    /// The user is banned from the room.
    #[error("you are banned from this room")]
    Banned,
    /// The user is not in the room.
    #[error("user not in live room")]
    NotInRoom,
    /// The IM service could not make the chat room.
    #[error("the IM service failed")]
    Im(#[from] ImError),
    /// The anchor has no IM account, since the IM service is down.
    #[error("the anchor has no IM account")]
    NoImAccount,
    /// No id can be issued now.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The user could not be looked up.
    #[error(transparent)]
    User(#[from] user::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed in a look-up that several callers waited for.
    #[error(transparent)]
    Lookup(#[from] SharedError),
    /// Another node leads now, and does the job.
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::NotAnchor | Self::Banned => Kind::Forbidden,
            Self::Ended | Self::NotLive => Kind::State,
            Self::NotInRoom => Kind::NotInRoom,
            Self::Im(_) | Self::NoImAccount => Kind::Unavailable,
            Self::Id(error) => error.kind(),
            Self::User(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Lookup(error) => error.kind(),
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
