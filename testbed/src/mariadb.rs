//! A private MariaDB.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, ColumnIndex, Connection as _, Executor as _, Row as _};
use tokio::task::spawn_blocking;

use crate::daemon::Daemon;
use crate::probe::Probe;
use crate::spawner::tethered;

/// What all have in common. The time zone is one that nobody means, so that SQL's NOW() in the server shows up.
const OPTIONS: [&str; 6] = [
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--default-time-zone=-03:30",
];

/// A MariaDB of its own.
#[derive(Debug)]
pub struct MariaDb {
    /// The process.
    pub daemon: Daemon,
    /// Where it listens.
    pub addr: SocketAddr,
    socket: PathBuf,
    account: &'static str,
}

impl MariaDb {
    /// One that is not running yet, over the data that [`install`] or a copy of it made in the folder `name` below
    /// `folder`. `account` is the name of its schema, of the user for that, and the password.
    pub fn new(name: &str, folder: &Path, addr: SocketAddr, account: &'static str, options: &[&str]) -> Self {
        let socket = folder.join(format!("{name}.sock"));
        let mut command = tethered(program("mariadbd"));
        command
            .args(OPTIONS)
            .arg(format!("--datadir={}", folder.join(name).display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", folder.join(format!("{name}.pid")).display()))
            .arg(format!("--port={}", addr.port()))
            .args(options)
            .args(as_root());
        let log = folder.join(format!("{name}.log"));
        let daemon = Daemon::new(name, command, log, Probe::MariaDb(socket.clone()));
        Self { daemon, addr, socket, account }
    }

    /// Name, password and schema, which are the same word.
    pub fn account(&self) -> &'static str {
        self.account
    }

    /// Makes the schema and its user.
    ///
    /// # Errors
    /// When the server does not take that.
    pub async fn create_account(&self) -> Result<()> {
        let account = self.account;
        self.execute(&format!("CREATE DATABASE {account} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"))
            .await?;
        self.execute(&format!("CREATE USER '{account}'@'%' IDENTIFIED BY '{account}'")).await?;
        self.execute(&format!("GRANT ALL ON {account}.* TO '{account}'@'%'")).await
    }

    /// How to connect to the schema.
    pub fn options(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.addr.port())
            .username(self.account)
            .password(self.account)
            .database(self.account)
    }

    /// Opens a connection to the schema.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn connect(&self) -> Result<MySqlConnection> {
        Ok(MySqlConnection::connect_with(&self.options()).await?)
    }

    /// Runs statements as root.
    ///
    /// # Errors
    /// When the server does not answer, or with an error.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let mut connection = self.root().await?;
        let executed = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
        executed.with_context(|| format!("{}: {sql}", self.daemon.name()))?;
        Ok(connection.close().await?)
    }

    /// What a query answers, asked as root in the schema, each column as text.
    ///
    /// # Errors
    /// As [`MariaDb::execute`].
    pub async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        self.read(sql, |row| (0..row.len()).map(|column| text(row, column)).collect()).await
    }

    /// The first row's first column, as text.
    ///
    /// # Errors
    /// As [`MariaDb::execute`]; when there is no row, or NULL in it.
    pub async fn value(&self, sql: &str) -> Result<String> {
        let rows = self.rows(sql).await?;
        let value = rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten();
        value.with_context(|| format!("{sql}: no value"))
    }

    /// A column of the first row by its name, as text.
    pub(crate) async fn field(&self, sql: &str, column: &'static str) -> Result<Option<String>> {
        let fields = self.read(sql, |row| text(row, column)).await?;
        fields.into_iter().next().with_context(|| format!("{sql}: no row"))
    }

    async fn read<T>(&self, sql: &str, read: impl Fn(&MySqlRow) -> Result<T>) -> Result<Vec<T>> {
        let mut connection = self.root().await?;
        // The text protocol: every value comes as text.
        let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
        let rows = rows.with_context(|| format!("{}: {sql}", self.daemon.name()))?;
        connection.close().await?;
        rows.iter().map(read).collect()
    }

    async fn root(&self) -> Result<MySqlConnection> {
        let root =
            MySqlConnectOptions::new().socket(&self.socket).username("root").ssl_mode(MySqlSslMode::Disabled);
        let mut connection = MySqlConnection::connect_with(&root).await?;
        // Before there is a schema, statements do without.
        let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("USE {}", self.account)))).await;
        Ok(connection)
    }
}

fn text<I: ColumnIndex<MySqlRow>>(row: &MySqlRow, column: I) -> Result<Option<String>> {
    Ok(row.try_get_unchecked(column)?)
}

/// Makes the data of a new server in the folder `name` below `folder`.
///
/// # Errors
/// When MariaDB is not installed or refuses.
pub async fn install(name: &str, folder: &Path) -> Result<()> {
    let mut command: Command = tethered(program("mariadb-install-db"));
    command
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        // A quarter of the default: less to write.
        .arg("--innodb-log-file-size=24M")
        .arg(format!("--datadir={}", folder.join(name).display()))
        .args(as_root())
        .current_dir(folder)
        .stdin(Stdio::null());
    let output = spawn_blocking(move || command.output()).await?;
    let output = output.context("mariadb-install-db is missing: apt-get install mariadb-server")?;
    if !output.status.success() {
        bail!("mariadb-install-db: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Copies the data of a server that was never started.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("make {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// MariaDB wants to be told when it shall run as root, as it does in containers.
fn as_root() -> Option<&'static str> {
    let own = std::fs::metadata("/proc/self").ok()?;
    (own.uid() == 0).then_some("--user=root")
}

/// Debian keeps servers in `/usr/sbin`, which is not in the PATH of ordinary users.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.exists() { path } else { PathBuf::from(name) }
}
