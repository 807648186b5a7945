//! A private Redis.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};

use crate::daemon::Daemon;
use crate::probe::Probe;
use crate::spawner::tethered;

/// A Redis of its own, without persistence unless its options say otherwise.
#[derive(Debug)]
pub struct Redis {
    /// The process.
    pub daemon: Daemon,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Redis {
    /// One that is not running yet, with its files in a folder `name` below `folder`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(name: &str, folder: &Path, addr: SocketAddr, options: &[&str]) -> Result<Self> {
        let data = folder.join(name);
        std::fs::create_dir_all(&data).with_context(|| format!("make {}", data.display()))?;
        let mut command = tethered("redis-server");
        command
            .args(["--bind", &addr.ip().to_string(), "--port", &addr.port().to_string()])
            .args(["--daemonize", "no", "--save", ""])
            .arg("--dir")
            .arg(&data)
            .args(options);
        let log = folder.join(format!("{name}.log"));
        Ok(Self { daemon: Daemon::new(name, command, log, Probe::Redis(addr)), addr })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connect(&self) -> Result<MultiplexedConnection> {
        connect(self.addr).await
    }

    /// Runs a command, given by its words, on a connection of its own.
    ///
    /// # Errors
    /// When it is not answered, or with an error.
    pub async fn run<T: FromRedisValue>(&self, words: &[&str]) -> Result<T> {
        ask(self.addr, words).await
    }
}

/// Runs a command at `addr`.
pub(crate) async fn ask<T: FromRedisValue>(addr: SocketAddr, words: &[&str]) -> Result<T> {
    let (name, arguments) = words.split_first().context("a command")?;
    Ok(cmd(name).arg(arguments).query_async(&mut connect(addr).await?).await?)
}

async fn connect(addr: SocketAddr) -> Result<MultiplexedConnection> {
    let client = redis::Client::open(format!("redis://{addr}/"))?;
    Ok(client.get_multiplexed_async_connection().await?)
}
