//! A MariaDB that follows another one.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::runtime::Handle;

use crate::link::Link;
use crate::mariadb::{self, MariaDb};
use crate::wait::wait_until;

const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "replication";
/// Name, password and schema of the nodes' account.
const ACCOUNT: &str = "live";

/// Commits survive the death of the process; that of the machine they need not.
const DATABASE_OPTIONS: [&str; 11] = [
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--gtid-strict-mode=ON",
    "--sync-binlog=0",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=128M",
    "--max-connections=500",
    "--performance-schema=OFF",
    // A link without a word for so long is cut.
    "--slave-net-timeout=2",
    "--relay-log-recovery=ON",
];

/// A database and its copy, both running, and the way on which the second follows the first. What proxies the way
/// runs on `runtime`.
pub(crate) async fn replicated(
    folder: &Path,
    primary_addr: SocketAddr,
    replica_addr: SocketAddr,
    runtime: &Handle,
) -> Result<(MariaDb, MariaDb, Link)> {
    mariadb::install("primary", folder).await?;
    let (from, to) = (folder.join("primary"), folder.join("replica"));
    mariadb::copy(&from, &to)?;
    let options = |own: &[&'static str]| [&DATABASE_OPTIONS, own].concat();
    let primary = MariaDb::new("primary", folder, primary_addr, ACCOUNT, &options(&["--server-id=1"]));
    let replica = MariaDb::new(
        "replica",
        folder,
        replica_addr,
        ACCOUNT,
        &options(&["--server-id=2", "--read-only=ON", "--log-slave-updates=ON"]),
    );
    tokio::try_join!(primary.daemon.start(), replica.daemon.start())?;
    primary.create_account().await?;
    primary.let_follow().await?;
    let replication = Link::to(primary.addr, runtime).await?;
    replica.follow(replication.port()?).await?;
    replica.wait_following().await?;
    replica.catch_up(&primary).await?;
    Ok((primary, replica, replication))
}

impl MariaDb {
    /// Makes the account that copies follow this server with.
    ///
    /// # Errors
    /// When the server does not take that.
    pub async fn let_follow(&self) -> Result<()> {
        self.execute(&format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{USER}'")).await?;
        self.execute(&format!("GRANT REPLICATION SLAVE ON *.* TO '{USER}'@'%'")).await
    }

    /// Becomes a copy of the server that is reached at this port of 127.0.0.1. A link that is silent for 2 s is
    /// replaced.
    ///
    /// # Errors
    /// When this server does not take that.
    pub async fn follow(&self, port: u16) -> Result<()> {
        self.execute(&format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = '{USER}', \
             MASTER_PASSWORD = '{USER}', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, \
             MASTER_HEARTBEAT_PERIOD = 0.5; START SLAVE"
        ))
        .await
    }

    /// Lets a copy carry everything out this many seconds late; 0 ends that.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn delay(&self, seconds: u32) -> Result<()> {
        self.execute(&format!("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = {seconds}; START SLAVE")).await
    }

    /// Lets a copy stand still, while it goes on answering.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn pause_following(&self) -> Result<()> {
        self.execute("STOP SLAVE SQL_THREAD").await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn resume_following(&self) -> Result<()> {
        self.execute("START SLAVE SQL_THREAD").await
    }

    /// Waits until a copy has everything that `primary` has now.
    ///
    /// # Errors
    /// When it has not within a minute, or cannot be asked; with what it says of itself.
    pub async fn catch_up(&self, primary: &Self) -> Result<()> {
        let position = primary.value("SELECT @@gtid_binlog_pos").await?;
        let wait = format!("SELECT MASTER_GTID_WAIT('{position}', {})", CATCH_UP_LIMIT.as_secs());
        match self.value(&wait).await?.as_str() {
            "0" => Ok(()),
            _ => bail!("the copy is not at {position}: {:?}", self.rows("SHOW SLAVE STATUS").await?),
        }
    }

    /// Waits until a copy follows: both of its threads run.
    ///
    /// # Errors
    /// When they do not after a minute.
    pub async fn wait_following(&self) -> Result<()> {
        wait_until("the replica follows", CATCH_UP_LIMIT, async || self.is_following().await.unwrap_or(false))
            .await
            .with_context(|| self.daemon.tail())
    }

    async fn is_following(&self) -> Result<bool> {
        for column in ["Slave_IO_Running", "Slave_SQL_Running"] {
            if self.field("SHOW SLAVE STATUS", column).await?.as_deref() != Some("Yes") {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
