//! How a MySQL or MariaDB of the configuration is reached.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::conn::Conn;
use super::error::StoreError;
use super::metrics::PoolMetrics;
use super::pool::{Bounds, Pool, Target};
use config::{DatabaseConfig, MysqlConfig, MysqlTls};

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

/// Sent on each new connection. What our statements mean must not depend on the server's mode, which may
/// take `"` for a name, a backslash for a letter, `||` for CONCAT, or cut texts that are too long.
pub(super) const SQL_MODE: &str =
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// sqlx's options. The session's time zone stays the server's own: DATETIME columns hold wall-clock time as
/// it is written. Its SQL mode is set by [`SQL_MODE`].
pub(super) fn options(entry: &DatabaseConfig) -> MySqlConnectOptions {
    let options = MySqlConnectOptions::new()
        .host(&entry.host)
        .port(entry.port)
        .username(&entry.username)
        .password(entry.password.expose())
        .database(&entry.database)
        .charset("utf8mb4")
        .timezone(None)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .ssl_mode(match entry.tls {
            MysqlTls::Off => MySqlSslMode::Disabled,
            MysqlTls::Preferred => MySqlSslMode::Preferred,
            MysqlTls::Required => MySqlSslMode::Required,
            MysqlTls::Verify => MySqlSslMode::VerifyIdentity,
        })
        // Ours (`statement_log`) knows the request.
        .disable_statement_logging();
    match &entry.tls_ca {
        Some(file) => options.ssl_ca(file),
        None => options,
    }
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
