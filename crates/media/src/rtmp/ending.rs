//! How connections end.

use std::io;

use thiserror::Error;

use super::error::SessionError;
use super::gate::Refusal;
use crate::hub::{DownReason, ViewerEnd};

/// How a connection ended.
#[derive(Debug, Error)]
pub enum Ending {
    /// The peer left before it published or played.
    #[error("left")]
    Left,
    /// It took longer than [`super::ServerLimits::negotiation`] to publish or play.
    #[error("too slow to publish or play")]
    Deadline,
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// It broke the protocol.
    #[error(transparent)]
    Protocol(#[from] SessionError),
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It was refused.
    #[error("refused: {}", .0.reason)]
    Refused(Refusal),
    /// It published.
    #[error("published: {0}")]
    Published(DownReason),
    /// It played to the end that is given; `None`: until it left.
    #[error("played")]
    Played(Option<ViewerEnd>),
}
