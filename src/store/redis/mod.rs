//! Redis, be it a node or a cluster: connections that are kept, scripts, and the way of a call to
//! the server that has the key. What is kept there is known to `store/cache` and `store/broker`.

pub(in crate::store) mod cluster;
pub(in crate::store) mod connection;
pub(in crate::store) mod connector;
pub(in crate::store) mod credentials;
mod error;
pub(in crate::store) mod layout;
pub(in crate::store) mod link;
pub(in crate::store) mod metrics;
pub(in crate::store) mod remote;
pub(in crate::store) mod script;
mod tls;
pub(in crate::store) mod trouble;
pub(in crate::store) mod wire;

pub use self::error::RemoteError;
