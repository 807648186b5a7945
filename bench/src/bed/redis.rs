//! A private Redis.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;
use tokio::process::Command;
use tokio::time::sleep;

use super::{Process, free_address};

const PATIENCE: Duration = Duration::from_secs(10);

/// A running Redis without persistence.
#[derive(Debug)]
pub struct Redis {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Redis {
    /// Starts one under `folder`.
    pub async fn start(folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut program = Command::new("redis-server");
        program
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &address.port().to_string()])
            .arg("--dir")
            .arg(folder);
        let log = folder.join("redis.log");
        let process = Process::start("redis-server", program, &log)
            .context("redis-server is missing: apt-get install redis-server")?;
        let mut started = Self { process, address };
        let deadline = Instant::now() + PATIENCE;
        loop {
            started.process.check().with_context(|| format!("see {}", log.display()))?;
            match started.connect().await {
                Ok(_) => return Ok(started),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Result<MultiplexedConnection> {
        let client = redis::Client::open(format!("redis://{}/", self.address))?;
        Ok(client.get_multiplexed_async_connection().await?)
    }
}
