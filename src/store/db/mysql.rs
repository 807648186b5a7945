//! How a MySQL or MariaDB of the configuration is reached.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;

use super::conn::Conn;
use super::error::StoreError;
use super::metrics::PoolMetrics;
use super::pool::{Bounds, Pool, Target};
use crate::config::{DatabaseConfig, MysqlConfig};

/// Open connections when `max_open_conns` is 0, which means "no limit" to the Go server.
const DEFAULT_OPEN: u32 = 100;

/// The one writable database and the read-only ones of `mysql.databases`.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    pub(super) writer: &'a DatabaseConfig,
    pub(super) replicas: Vec<&'a DatabaseConfig>,
}

/// Sorts the configured databases; None when there are none (embedded mode).
pub(super) fn entries(mysql: &MysqlConfig) -> Result<Option<Entries<'_>>, StoreError> {
    if mysql.databases.is_empty() {
        return Ok(None);
    }
    let (replicas, writable): (Vec<_>, Vec<_>) = mysql.databases.iter().partition(|entry| entry.read_only);
    match writable.as_slice() {
        [writer] => Ok(Some(Entries { writer, replicas })),
        [] => Err(StoreError::Setup(
            "mysql.databases: no entry is writable; set read_only: false on one".into(),
        )),
        _ => Err(StoreError::Setup(
            "mysql.databases: more than one entry is writable; set read_only: true on all but one".into(),
        )),
    }
}

/// `host:port/database`, for messages: never the user or the password.
pub(super) fn place(entry: &DatabaseConfig) -> String {
    format!("{}:{}/{}", entry.host, entry.port, entry.database)
}

/// sqlx's options. The session's time zone and SQL mode stay the server's own: DATETIME columns
/// hold wall-clock time as it is written, and the adopted data was written under that mode.
pub(super) fn options(entry: &DatabaseConfig) -> MySqlConnectOptions {
    MySqlConnectOptions::new()
        .host(&entry.host)
        .port(entry.port)
        .username(&entry.username)
        .password(entry.password.expose())
        .database(&entry.database)
        .charset("utf8mb4")
        .timezone(None)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        // Ours (`statement_log`) knows the request.
        .disable_statement_logging()
}

/// A pool for one entry; connects when first used.
pub(super) fn conn(entry: &DatabaseConfig, metrics: PoolMetrics) -> Result<Conn, StoreError> {
    let open = match entry.max_open_conns {
        0 => DEFAULT_OPEN,
        limit => limit,
    };
    let idle = match entry.max_idle_conns {
        0 => open,
        limit => limit.min(open),
    };
    let life = Some(entry.conn_max_life_time).filter(|&s| s > 0).map(Duration::from_secs);
    let bounds = Bounds {
        open: usize::try_from(open).unwrap_or(usize::MAX),
        idle: usize::try_from(idle).unwrap_or(usize::MAX),
        life,
    };
    Ok(Conn::new(Pool::new(Target::MySql(Box::new(options(entry))), bounds, metrics)?))
}
