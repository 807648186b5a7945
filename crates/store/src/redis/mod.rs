//! Redis, be it a node or a cluster: connections that are kept, scripts, and the way of a call to
//! the server that has the key. What is kept there is known to `store/cache` and `store/broker`.

pub(crate) mod cluster;
pub(crate) mod connection;
pub(crate) mod connector;
pub(crate) mod credentials;
mod error;
pub(crate) mod layout;
pub(crate) mod link;
pub(crate) mod metrics;
pub(crate) mod remote;
pub(crate) mod script;
mod tls;
pub(crate) mod trouble;
pub(crate) mod wire;

pub use self::error::RemoteError;
