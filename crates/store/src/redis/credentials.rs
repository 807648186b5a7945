//! Whether the servers take the user and the password that are configured. While a server is away nobody knows;
//! one that turns us down does so until somebody changes the configuration.

use std::io;

use futures_util::future::try_join_all;
use redis::cmd;
use tokio::time::timeout;

use super::connector::{Addr, Connector};
use super::error::RemoteError;
use super::link::CONNECT_LIMIT;
use super::wire::Reply;

/// What Redis says to a wrong password (6 and later, before), to none where one is wanted, to one where none is,
/// and to a user before there were users.
const REFUSALS: [&str; 5] = ["WRONGPASS", "invalid password", "NOAUTH", "AUTH ", "'auth' command"];

/// Asks each of the servers that can be reached.
///
/// # Errors
/// [`RemoteError::Config`] when one turns us down.
pub(crate) async fn check(connector: &Connector, addrs: &[Addr]) -> Result<(), RemoteError> {
    try_join_all(addrs.iter().map(|addr| check_one(connector, addr))).await.map(|_| ())
}

async fn check_one(connector: &Connector, addr: &Addr) -> Result<(), RemoteError> {
    let Ok(Err(error)) = timeout(CONNECT_LIMIT, log_in(connector, addr)).await else { return Ok(()) };
    let told = error.to_string();
    if REFUSALS.iter().any(|refusal| told.contains(refusal)) {
        let text = format!("{addr} does not take cache.username and cache.password: {told}");
        return Err(RemoteError::Config(text.into()));
    }
    Ok(())
}

async fn log_in(connector: &Connector, addr: &Addr) -> io::Result<()> {
    let mut wire = connector.connect_wire(addr).await?;
    wire.send(&cmd("PING")).await?;
    match wire.receive().await? {
        Reply::Error(refusal) => Err(io::Error::other(refusal.to_owned())),
        _ => Ok(()),
    }
}
