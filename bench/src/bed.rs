//! What the server needs: a private MariaDB and a private Redis in a temporary folder, on free ports of the
//! loopback interface. The system's own services are never touched.

use std::path::Path;

use anyhow::{Context, Result};
use testbed::{Folder, MariaDb, Redis, free_address};

/// Wall-clock time in the zone that the benchmark's configuration names, in SQL.
pub const NOW: &str = "UTC_TIMESTAMP() + INTERVAL 8 HOUR";
/// Name, password and schema of the account that server and benchmark use.
const ACCOUNT: &str = "bench";
const DATABASE_OPTIONS: [&str; 3] =
    ["--skip-log-bin", "--max-connections=400", "--innodb-buffer-pool-size=256M"];

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

impl Bed {
    /// Starts both; `keep` leaves the folder behind.
    pub async fn start(keep: bool) -> Result<Self> {
        let folder = Folder::temporary("liveloom-bench-")?;
        let folder = if keep { folder.keep() } else { folder };
        eprintln!("starting MariaDB and Redis in {}", folder.path().display());
        let (database, cache) = tokio::try_join!(database(folder.path()), cache(folder.path()))?;
        Ok(Self { database, cache, folder })
    }

    /// The temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process id of the database.
    pub fn database_pid(&self) -> Result<u32> {
        self.database.daemon.pid().context("MariaDB has ended")
    }

    /// The process id of the cache.
    pub fn cache_pid(&self) -> Result<u32> {
        self.cache.daemon.pid().context("Redis has ended")
    }

    /// Whether every commit waits for the disk, as in production, or only soon reaches it: what is counted does not
    /// depend on it, how long counting takes does.
    pub async fn flush_commits(&self, flush: bool) -> Result<()> {
        let value = u8::from(flush);
        self.database.execute(&format!("SET GLOBAL innodb_flush_log_at_trx_commit = {value}")).await
    }
}

async fn database(folder: &Path) -> Result<MariaDb> {
    testbed::install("mariadb", folder).await?;
    let database = MariaDb::new("mariadb", folder, free_address()?, ACCOUNT, &DATABASE_OPTIONS);
    database.daemon.start().await?;
    database.create_account().await?;
    // It reads what the server counts of itself.
    database.execute(&format!("GRANT ALL ON *.* TO '{ACCOUNT}'@'%'")).await?;
    Ok(database)
}

async fn cache(folder: &Path) -> Result<Redis> {
    let cache = Redis::new("redis", folder, free_address()?, &["--appendonly", "no"])?;
    cache.daemon.start().await?;
    Ok(cache)
}
