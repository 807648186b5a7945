//! Whether the servers take the user and the password that are configured. While a server is away nobody knows;
//! one that turns us down does so until somebody changes the configuration, and says it only once it is asked.

use futures_util::future::try_join_all;
use redis::{ErrorKind, RedisError, ServerErrorKind, cmd};
use tokio::time::timeout;

use super::connection::Request;
use super::connector::{Addr, Connector};
use super::error::RemoteError;
use super::link::CONNECT_LIMIT;

/// Asks each of the servers that can be reached.
///
/// # Errors
/// [`RemoteError::Config`] when one turns us down.
pub(in crate::store) async fn check(connector: &Connector, addrs: &[Addr]) -> Result<(), RemoteError> {
    try_join_all(addrs.iter().map(|addr| check_one(connector, addr))).await.map(|_| ())
}

async fn check_one(connector: &Connector, addr: &Addr) -> Result<(), RemoteError> {
    let asking = async { connector.connect(addr).await?.send(&Request::Command(cmd("PING"))).await };
    match timeout(CONNECT_LIMIT, asking).await {
        Ok(Err(error)) if turns_us_down(&error) => {
            let told = error.detail().map_or_else(|| error.to_string(), str::to_owned);
            let text = format!("{addr} does not take cache.username and cache.password: {told}");
            Err(RemoteError::Config(text.into()))
        }
        _ => Ok(()),
    }
}

/// Wrong password, a password where none is wanted, or none where one is wanted.
fn turns_us_down(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
        || error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}
