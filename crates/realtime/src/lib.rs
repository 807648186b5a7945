//! Room messages on their way to those who are connected.
//!
//! A message is published once, at any node, through the broker, which gives it its place in its
//! channel. Each node that has subscribers hears it, encodes it once ([`message`]), and hands it to
//! those of its worker threads that have some ([`LocalHub`]), which put it into the queues of their
//! connections. Nothing of that takes a lock: the [`dispatcher`] owns what a node knows of channels,
//! and each worker its connections.

mod announced;
mod channel;
mod connection;
mod dispatcher;
mod error;
pub mod frame;
mod keep_alive;
mod local;
pub mod message;
mod metrics;
pub mod orders;
mod service;
mod worker;

pub use announced::{AnnouncedOrders, TOPIC};
pub use channel::{Channel, Kind};
pub use connection::{Closing, Connection, Login, Next};
pub use error::HubError;
pub use keep_alive::{PING_EVERY, is_turn};
pub use local::{Endpoint, LocalHub, Registered};
pub use message::Draft;
pub use service::Hub;
