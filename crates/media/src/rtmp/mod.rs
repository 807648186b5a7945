//! RTMP (Adobe's specification 1.0, Enhanced RTMP v2) as a server: taking a stream and playing one.
//!
//! [`Session`] has no sockets: bytes go in, events and bytes come out. [`Server`] drives sessions over any
//! connection, TCP or TLS, and holds the limits that stand between a stranger and this process.

mod chunk;
mod command;
mod connections;
mod ending;
mod error;
mod gate;
mod handshake;
mod limits;
mod play;
mod publish;
mod request;
mod server;
mod session;
mod transport;

pub use chunk::{ChunkError, ChunkReader, ChunkWriter, MAX_CHUNK_STREAMS, Message};
pub use connections::ServerStats;
pub use ending::Ending;
pub use error::SessionError;
pub use gate::{Gate, Refusal};
pub use limits::ServerLimits;
pub use request::StreamRequest;
pub use server::{Admission, Server};
pub use session::{Event, MAX_MESSAGE_ACCEPTED, MAX_MESSAGE_STRANGER, Session};
