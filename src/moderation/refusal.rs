//! Why a user may not write in a room, or not enter it.

use std::time::Duration;

use crate::live;
use common::failure::{Failure, Kind};
use store::lookup::SharedError;

/// Why a user may not write in a room, or not enter it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// They are banned from the room.
    #[error("you are banned from this room")]
    Banned,
    /// They are muted in the room.
    #[error("you are muted in this room")]
    Muted {
        /// When they may write again; None is never.
        retry_after: Option<Duration>,
    },
    /// Only the anchor and the moderators may write now.
    #[error("the room is muted")]
    RoomMuted,
    /// The message has a banned word.
    #[error("the message has a banned word")]
    BannedWord,
    /// The room could not be looked up.
    #[error(transparent)]
    Live(#[from] live::Error),
    /// The database failed in a look-up that several callers waited for.
    #[error(transparent)]
    Lookup(#[from] SharedError),
}

impl Failure for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Banned | Self::Muted { .. } | Self::RoomMuted | Self::BannedWord => Kind::Forbidden,
            Self::Live(error) => error.kind(),
            Self::Lookup(error) => error.kind(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Muted { retry_after } => *retry_after,
            Self::Live(error) => error.retry_after(),
            Self::Lookup(error) => error.retry_after(),
            Self::Banned | Self::RoomMuted | Self::BannedWord => None,
        }
    }
}
