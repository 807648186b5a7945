//! What breaks a session.

use thiserror::Error;

use super::chunk::ChunkError;
use crate::amf::AmfError;

/// Why the peer cannot be talked to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionError {
    /// The first byte is not 3: another protocol, or RTMPE.
    #[error("not RTMP: the handshake has another version")]
    Version,
    /// Chunks that break the protocol or a limit.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// A command that is no AMF0.
    #[error(transparent)]
    Amf(#[from] AmfError),
    /// `publish` or `play` before `connect`, or a second time.
    #[error("{0} is out of order")]
    OutOfOrder(&'static str),
    /// `publish` or `play` without a name.
    #[error("{0} names no stream")]
    NoName(&'static str),
}
