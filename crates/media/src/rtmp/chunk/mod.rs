//! Messages cut into chunks (RTMP 1.0 §5.3).

mod header;
mod reader;
mod writer;

use bytes::Bytes;
use thiserror::Error;

pub use reader::ChunkReader;
pub use writer::ChunkWriter;
pub(crate) use writer::{OUT_CHUNK_SIZE, media_pieces};

/// A peer may have this many chunk streams; encoders use three to six.
pub const MAX_CHUNK_STREAMS: usize = 16;

/// Types of messages.
pub(crate) mod kind {
    pub(crate) const SET_CHUNK_SIZE: u8 = 1;
    pub(crate) const ABORT: u8 = 2;
    pub(crate) const ACKNOWLEDGEMENT: u8 = 3;
    pub(crate) const USER_CONTROL: u8 = 4;
    pub(crate) const WINDOW_SIZE: u8 = 5;
    pub(crate) const PEER_BANDWIDTH: u8 = 6;
    pub(crate) const DATA_AMF3: u8 = 15;
    pub(crate) const COMMAND_AMF3: u8 = 17;
    pub(crate) const DATA: u8 = 18;
    pub(crate) const COMMAND: u8 = 20;
    pub(crate) const AGGREGATE: u8 = 22;
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its type: 8 sound, 9 picture, 18 metadata, 20 a command.
    pub kind: u8,
    /// Milliseconds.
    pub timestamp: u32,
    /// Which of the connection's streams it belongs to; 0 is the connection itself.
    pub stream_id: u32,
    /// The payload.
    pub body: Bytes,
}

/// Why bytes are no chunks that are taken. The connection is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChunkError {
    /// A chunk refers to one before it that was never sent.
    #[error("chunk stream {0} begins without a header")]
    NoHeader(u32),
    /// A new header although the message before is not complete.
    #[error("a header stands inside a message of chunk stream {0}")]
    HeaderInMessage(u32),
    /// More than [`MAX_CHUNK_STREAMS`].
    #[error("more than {MAX_CHUNK_STREAMS} chunk streams")]
    TooManyStreams,
    /// Longer than allowed at this time.
    #[error("a message of {length} bytes, allowed are {limit}")]
    TooLong {
        /// What the header announces.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Many messages are begun and none completed.
    #[error("unfinished messages hold more than {0} bytes")]
    TooMuchUnfinished(usize),
    /// 0, or above 2^31-1.
    #[error("chunk size {0}")]
    ChunkSize(u32),
}
