//! A private MariaDB.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::process::Command;
use tokio::time::sleep;

use super::{Process, free_address};

const PATIENCE: Duration = Duration::from_secs(30);
/// Name, password and schema of the account that server and benchmark use.
const ACCOUNT: &str = "bench";

/// A running MariaDB with one empty schema.
#[derive(Debug)]
pub struct MariaDb {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl MariaDb {
    /// Installs and starts one under `folder`.
    pub async fn start(folder: &Path) -> Result<Self> {
        let data = folder.join("mariadb");
        install(folder, &data).await?;
        let address = free_address()?;
        let socket = folder.join("mariadb.sock");
        let mut program = Command::new(program("mariadbd"));
        program
            .args(["--no-defaults", "--skip-log-bin", "--bind-address=127.0.0.1", "--max-connections=400"])
            .args(["--innodb-buffer-pool-size=256M"])
            .args(["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--port={}", address.port()))
            .args(as_root());
        let log = folder.join("mariadb.log");
        let mut started = Self { process: Process::start("mariadbd", program, &log)?, address };
        started
            .prepare(socket)
            .await
            .with_context(|| format!("MariaDB does not start, see {}", log.display()))?;
        Ok(started)
    }

    /// How to connect to the schema.
    pub fn options(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.address.port())
            .username(ACCOUNT)
            .password(ACCOUNT)
            .database(ACCOUNT)
    }

    /// Name, password and schema, which are the same word.
    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Result<MySqlConnection> {
        Ok(MySqlConnection::connect_with(&self.options()).await?)
    }

    /// Whether every commit waits for the disk, as in production, or only soon reaches it: what is counted does not
    /// depend on it, how long counting takes does.
    pub async fn flush_commits(&self, flush: bool) -> Result<()> {
        let statement = if flush {
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1"
        } else {
            "SET GLOBAL innodb_flush_log_at_trx_commit = 0"
        };
        let mut connection = self.connect().await?;
        connection.execute(sqlx::raw_sql(statement)).await?;
        Ok(connection.close().await?)
    }

    async fn prepare(&mut self, socket: PathBuf) -> Result<()> {
        let root = MySqlConnectOptions::new().socket(socket).username("root");
        let deadline = Instant::now() + PATIENCE;
        let mut connection = loop {
            self.process.check()?;
            match MySqlConnection::connect_with(&root).await {
                Ok(connection) => break connection,
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        for statement in [
            "CREATE DATABASE bench CHARACTER SET utf8mb4",
            "CREATE USER 'bench'@'%' IDENTIFIED BY 'bench'",
            "GRANT ALL ON *.* TO 'bench'@'%'",
        ] {
            connection.execute(sqlx::raw_sql(statement)).await?;
        }
        connection.close().await?;
        Ok(())
    }
}

async fn install(folder: &Path, data: &Path) -> Result<()> {
    let output = Command::new(program("mariadb-install-db"))
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg(format!("--datadir={}", data.display()))
        .args(as_root())
        .current_dir(folder)
        .output()
        .await
        .context("mariadb-install-db is missing: apt-get install mariadb-server")?;
    if !output.status.success() {
        bail!("mariadb-install-db: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// MariaDB wants to be told when it shall run as root, as it does in containers.
fn as_root() -> Option<&'static str> {
    let own = std::fs::metadata("/proc/self").ok()?;
    (own.uid() == 0).then_some("--user=root")
}

/// Debian keeps servers in `/usr/sbin`, which is not in the PATH of ordinary users.
fn program(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.exists() { path } else { PathBuf::from(name) }
}
