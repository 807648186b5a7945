//! WebSocket endpoints. Each is a protocol over the hub: it reads what peers ask for, and the hub
//! fills the queues from which its connections are written.
//!
//! An upgrade leaves the HTTP service with the bare socket ([`upgrade`]), so that a connection costs no
//! more than a task and what it follows.

pub mod barrage;
mod frame_header;
mod handshake;
mod limits;
pub mod mesh;
pub mod native;
mod problem;
mod socket;
pub mod upgrade;

pub use limits::{AddressCount, ConnectionCount};
pub use mesh::Mesh;
pub use upgrade::Edges;
