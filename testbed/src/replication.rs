//! A MariaDB that follows another one.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::mariadb::MariaDb;
use crate::wait::wait_until;

const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "replication";

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
