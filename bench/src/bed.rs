//! What the server needs: a private MariaDB and a private Redis in a temporary folder, on free ports of the
//! loopback interface. The system's own services are never touched.

mod mariadb;
mod process;
mod redis;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

pub use self::mariadb::MariaDb;
pub use self::process::Process;
pub use self::redis::Redis;

/// Wall-clock time in the zone that the benchmark's configuration names, in SQL.
pub const NOW: &str = "UTC_TIMESTAMP() + INTERVAL 8 HOUR";

/// The running bed; dropping it stops everything and removes the folder.
#[derive(Debug)]
pub struct Bed {
    // Dropped in this order: processes before the folder that they write to.
    /// The database.
    pub database: MariaDb,
    /// The cache.
    pub cache: Redis,
    folder: Folder,
}

#[derive(Debug)]
enum Folder {
    Removed(TempDir),
    Kept(PathBuf),
}

impl Bed {
    /// Starts both; `keep` leaves the folder behind.
    pub async fn start(keep: bool) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("liveloom-bench-")
            .tempdir()
            .context("make a temporary folder")?;
        let folder = if keep { Folder::Kept(folder.keep()) } else { Folder::Removed(folder) };
        eprintln!("starting MariaDB and Redis in {}", folder.path().display());
        let (database, cache) = tokio::try_join!(MariaDb::start(folder.path()), Redis::start(folder.path()))?;
        Ok(Self { database, cache, folder })
    }

    /// The temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Removed(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// An address of the loopback interface with a port that is free now.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?)
}
