//! Why a call about PKs failed.

use crate::live;
use common::failure::{Failure, Kind};
use common::id::IdError;
use store::db::{RetryableError, StoreError};

/// Why a call about PKs failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such PK.
    #[error("there is no such PK")]
    NotFound,
    /// The request contradicts itself; the text names the field and the reason.
    #[error("{0}")]
    Invalid(&'static str),
    /// The caller is not the anchor of the room that they start from.
    #[error("only the anchor of init_room_id may start its PK")]
    NotAnchor,
    /// The caller is neither of the two anchors.
    #[error("only the two anchors of the PK may do this")]
    NotInPk,
    /// A room has not begun, or is over.
    #[error("the room {0} is not live")]
    NotLive(String),
    /// A room is in a PK already.
    #[error("the room {0} is in a PK already")]
    Busy(String),
    /// The PK is over.
    #[error("the PK has stopped")]
    Over,
    /// The merged map does not fit.
    #[error("extends: {0}")]
    Extends(String),
    /// A room failed.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// No id can be issued now.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Invalid(_) | Self::Extends(_) => Kind::Invalid,
            Self::NotAnchor | Self::NotInPk => Kind::Forbidden,
            Self::NotLive(_) | Self::Busy(_) | Self::Over => Kind::State,
            Self::Live(error) => error.kind(),
            Self::Id(error) => error.kind(),
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
