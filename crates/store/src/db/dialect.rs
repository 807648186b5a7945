//! Which SQL the database speaks.

use std::time::Duration;

use sea_orm::DbBackend;

/// The two families of databases that the server runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// MySQL 8 or MariaDB 10.11 and newer: only the syntax that both understand.
    MySql,
    /// SQLite, in the server's own process.
    Sqlite,
}

impl Dialect {
    /// sea-orm's name for it.
    #[must_use]
    pub fn backend(self) -> DbBackend {
        match self {
            Self::MySql => DbBackend::MySql,
            Self::Sqlite => DbBackend::Sqlite,
        }
    }

    /// An SQL expression for the database's own clock in milliseconds since the Unix epoch, as a
    /// 64-bit integer. It does not depend on any time zone, so daylight saving cannot bend it.
    #[must_use]
    pub fn now_ms_sql(self) -> &'static str {
        match self {
            Self::MySql => {
                "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000 AS SIGNED)"
            }
            Self::Sqlite => "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)",
        }
    }

    /// How long a statement may take, waiting for a connection included: a request to a MySQL that
    /// is cut off must be answered within two seconds. An embedded file cannot be cut off; there
    /// writers wait for each other and for the disk, and are better served late than refused.
    #[must_use]
    pub fn statement_limit(self) -> Duration {
        match self {
            Self::MySql => Duration::from_millis(1500),
            Self::Sqlite => Duration::from_secs(15),
        }
    }

    /// How much of [`Self::statement_limit`] may go into waiting for a connection.
    #[must_use]
    pub fn acquire_limit(self) -> Duration {
        self.statement_limit() * 4 / 5
    }

    /// `column` compared byte by byte, whatever the collation of an adopted table.
    #[must_use]
    pub fn bytewise(self, column: &str) -> String {
        match self {
            Self::MySql => format!("{column} COLLATE utf8mb4_bin"),
            Self::Sqlite => column.to_owned(),
        }
    }

    /// The suffix of a SELECT that locks the rows it reads against writers, but not against other
    /// readers. On SQLite a transaction is alone with its writes anyway.
    #[must_use]
    pub fn share_lock_sql(self) -> &'static str {
        match self {
            Self::MySql => " LOCK IN SHARE MODE",
            Self::Sqlite => "",
        }
    }

    /// The suffix of a SELECT that locks the rows it reads for the rest of the transaction, and leaves
    /// out those that another transaction has locked (MySQL 8, MariaDB 10.6).
    #[must_use]
    pub fn claim_lock_sql(self) -> &'static str {
        match self {
            Self::MySql => " FOR UPDATE SKIP LOCKED",
            Self::Sqlite => "",
        }
    }

    /// The suffix of a SELECT that locks the rows it reads for the rest of the transaction.
    #[must_use]
    pub fn update_lock_sql(self) -> &'static str {
        match self {
            Self::MySql => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }
}
