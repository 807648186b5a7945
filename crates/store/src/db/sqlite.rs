//! The embedded database: one file, one process, one writing connection and several readers.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::conn::Conn;
use super::error::StoreError;
use super::metrics::{Metrics, Role};
use super::pool::{Bounds, Pool, Target};
use super::prefix::{FOLDED, fold_order};

/// The database file inside `node.data_dir`.
pub const FILE: &str = "liveloom.db";
/// The file whose lock keeps a second process out.
const LOCK: &str = "lock";
/// The label `database` of its metrics.
const NAME: &str = "embedded";
/// Reading connections at most.
const READERS: usize = 8;
/// How long to wait for a lock that another program (a shell, a backup) holds on the file.
const BUSY: Duration = Duration::from_secs(1);

/// Takes the data directory for this process, creating it when it is missing. The lock lasts as
/// long as the file is open, and ends with the process, however it ends.
pub(super) fn lock(data_dir: &Path) -> Result<File, StoreError> {
    let refused = |error: std::io::Error| {
        StoreError::Setup(format!("node.data_dir {} cannot be used: {error}", data_dir.display()))
    };
    std::fs::create_dir_all(data_dir).map_err(refused)?;
    let options =
        File::options().read(true).write(true).create(true).truncate(false).open(data_dir.join(LOCK));
    let file = options.map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: data_dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// Sees to it that only the owner may read the database, which holds passwords of IM accounts and sessions:
/// SQLite gives the files that it makes beside it (`-wal`, `-shm`) the mode of the database itself.
pub(super) fn keep_private(data_dir: &Path) -> Result<(), StoreError> {
    let file = data_dir.join(FILE);
    let refused = |error: io::Error| {
        StoreError::Setup(format!("{} cannot be kept from other users: {error}", file.display()))
    };
    match File::options().write(true).create_new(true).mode(0o600).open(&file) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(error)),
    }
    for suffix in ["", "-wal", "-shm"] {
        let path = data_dir.join(format!("{FILE}{suffix}"));
        match path.metadata().map(|found| found.permissions().mode() & 0o777) {
            Ok(0o600) => {}
            Ok(_) => std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(refused)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(())
}

/// What every connection is opened with. An acknowledged write is on the disk (`FULL`); LIKE tells
/// upper from lower case, as it does in the tables that the server creates on MySQL.
pub(super) fn options(data_dir: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(data_dir.join(FILE))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(BUSY)
        .pragma("case_sensitive_like", "ON")
        .collation(FOLDED, fold_order)
        // Ours (`statement_log`) knows the request.
        .disable_statement_logging()
}

/// The writing connection (one, so that writers queue here and not in busy loops) and the readers.
pub(super) fn conns(data_dir: &Path, metrics: &Metrics) -> Result<(Conn, Conn), StoreError> {
    let options = options(data_dir);
    let one = Bounds { open: 1, idle: 1, life: None };
    let many = Bounds { open: READERS, idle: READERS, life: None };
    let reading = options.clone().pragma("query_only", "ON");
    let writer = Pool::new(Target::Sqlite(Box::new(options)), one, metrics.pool(NAME, Role::Writer))?;
    let readers = Pool::new(Target::Sqlite(Box::new(reading)), many, metrics.pool(NAME, Role::Reader))?;
    Ok((Conn::new(writer), Conn::new(readers)))
}
