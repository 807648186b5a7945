//! `mysql`: the databases.

use std::path::PathBuf;

use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use super::Secret;
use super::section::Section;

/// The one data source that the reference knows.
const DATA_SOURCE: &str = "live";

/// `mysql`
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct MysqlConfig {
    /// One writable database and any number of replicas. Empty: embedded SQLite in `node.data_dir`.
    pub databases: Vec<DatabaseConfig>,
}

/// One of `mysql.databases`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatabaseConfig {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User.
    pub username: String,
    /// Password of the user.
    pub password: Secret,
    /// Name of the schema.
    pub database: String,
    /// Connections that are kept longer than others while idle.
    pub max_idle_conns: u32,
    /// Connections, at most.
    pub max_open_conns: u32,
    /// A connection older than this many seconds is replaced.
    pub conn_max_life_time: u64,
    /// The reference's name of the data source; always `live`.
    pub default: String,
    /// Whether this is a replica, which only lists, searches and statistics ask.
    pub read_only: bool,
    /// Whether the connection is encrypted, and to whom.
    pub tls: MysqlTls,
    /// A PEM file of the authorities whose certificates [`MysqlTls::Verify`] takes; none: the public ones.
    pub tls_ca: Option<PathBuf>,
    /// The time zone of the wall-clock times in `DATETIME` columns; the same for all databases.
    #[serde(serialize_with = "zone_name")]
    pub loc: Tz,
}

/// `tls` of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MysqlTls {
    /// Nothing is encrypted.
    Off,
    /// Encrypted where the server offers it, to whoever answers: no help against somebody in between.
    #[default]
    Preferred,
    /// Encrypted or not at all, to whoever answers.
    Required,
    /// Encrypted, to a server whose certificate is good for `host`.
    Verify,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 3306,
            username: String::new(),
            password: Secret::default(),
            database: String::new(),
            max_idle_conns: 10,
            max_open_conns: 100,
            conn_max_life_time: 14_400,
            default: DATA_SOURCE.to_owned(),
            read_only: false,
            tls: MysqlTls::default(),
            tls_ca: None,
            loc: Tz::Asia__Shanghai,
        }
    }
}

impl MysqlConfig {
    /// The database that is written to; none with SQLite.
    #[must_use]
    pub fn writer(&self) -> Option<&DatabaseConfig> {
        self.databases.iter().find(|database| !database.read_only)
    }

    pub(super) fn read(section: &Section<'_>) -> Self {
        let databases = section.sections("databases", DatabaseConfig::read);
        let writable = databases.iter().filter(|database| !database.read_only).count();
        match (databases.is_empty(), writable) {
            (true, _) | (false, 1) => {}
            (false, 0) => section.error("databases", "none is writable: one must not be read_only"),
            (false, _) => section.error("databases", "several are writable: all but one must be read_only"),
        }
        if databases.windows(2).any(|pair| matches!(pair, [a, b] if a.loc != b.loc)) {
            section.error_of_item("databases", 0, "the loc of all databases must be the same");
        }
        Self { databases }
    }
}

impl DatabaseConfig {
    fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        for key in ["host", "username", "database"] {
            if section.filled(key).is_none() {
                section.error(key, "is required");
            }
        }
        let source = section.text("default", DATA_SOURCE);
        if source != DATA_SOURCE {
            section
                .warn("default", "names another data source than live; it is used like any other database");
        }
        let (tls, tls_ca) = tls(section);
        Self {
            host: section.text("host", ""),
            port: section.number("port", default.port, 1..=u16::MAX),
            username: section.text("username", ""),
            password: section.secret("password"),
            database: section.text("database", ""),
            max_idle_conns: section.number("max_idle_conns", default.max_idle_conns, 0..=10_000),
            max_open_conns: or_default(
                section.number("max_open_conns", 0, 0..=10_000),
                default.max_open_conns,
            ),
            conn_max_life_time: or_default(
                section.number("conn_max_life_time", 0, 0..=super::MAX_SECONDS),
                default.conn_max_life_time,
            ),
            default: source,
            read_only: section.flag("read_only", default.read_only),
            tls,
            tls_ca,
            loc: zone(section, default.loc),
        }
    }
}

/// An authority is named in order that certificates are checked.
fn tls(section: &Section<'_>) -> (MysqlTls, Option<PathBuf>) {
    let ca = section.certificates("tls_ca");
    let default = if ca.is_some() { MysqlTls::Verify } else { MysqlTls::default() };
    let choices = [
        ("off", MysqlTls::Off),
        ("preferred", MysqlTls::Preferred),
        ("required", MysqlTls::Required),
        ("verify", MysqlTls::Verify),
    ];
    let tls = section.choice("tls", default, &choices);
    if ca.is_some() && tls != MysqlTls::Verify {
        section.error("tls_ca", "is used with tls: verify only");
    }
    (tls, ca)
}

/// The Go driver takes 0 as "no limit"; here it is the same as absent.
fn or_default<T: PartialEq + Default>(number: T, default: T) -> T {
    if number == T::default() { default } else { number }
}

fn zone(section: &Section<'_>, default: Tz) -> Tz {
    let Some(name) = section.filled("loc") else { return default };
    name.parse().unwrap_or_else(|_| {
        section.error("loc", format!("{name:?} is not a time zone such as Asia/Shanghai"));
        default
    })
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}
