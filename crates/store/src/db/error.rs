//! What can go wrong with the database, and what it means to a caller.

use std::io::ErrorKind;
use std::path::PathBuf;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::mysql::MySqlDatabaseError;
use sqlx::sqlite::SqliteError;

use common::failure::{Failure, Kind};

/// A failure of the database store. The texts may hold details of the driver: they go to the log,
/// never to a caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, did not answer in time, or has no connection to spare.
    #[error("the database is unavailable: {reason}")]
    Unavailable {
        /// What was tried and how it failed.
        reason: String,
    },
    /// The connection broke, or the answer did not come in time, after a statement was sent: it is
    /// unknown whether it was done.
    #[error("the answer of the database was lost: {reason}")]
    Lost {
        /// How it was lost.
        reason: String,
    },
    /// A row with the same unique key exists.
    #[error("the row exists already: {reason}")]
    Duplicate {
        /// The database's words, which name the key.
        reason: String,
    },
    /// Another transaction was in the way (a deadlock or a lock that was not given up in time);
    /// the same work may succeed when it is done again from the start.
    #[error("another transaction was in the way: {reason}")]
    Contended {
        /// The database's words.
        reason: String,
    },
    /// Another process works on the same embedded database.
    #[error(
        "{} is in use by another liveloom process; stop it, or choose another node.data_dir",
        path.display()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// The settings or the files do not allow to open the database; one line that says what to do.
    #[error("{0}")]
    Setup(String),
    /// Anything else, such as a statement that the database refused.
    #[error("the database refused: {0}")]
    Database(DbErr),
}

impl StoreError {
    /// Whether the same may go well later, unchanged: the database is away, full or busy. Else trying again does
    /// not help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self.kind(), Kind::Unavailable)
    }

    /// A failure to reach the database.
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }
}

impl Failure for StoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unavailable { .. } | Self::Lost { .. } | Self::Contended { .. } => Kind::Unavailable,
            Self::Duplicate { .. } | Self::InUse { .. } | Self::Setup(_) | Self::Database(_) => {
                Kind::Internal
            }
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        known(&error).unwrap_or(Self::Database(error))
    }
}

/// What `error` means; None: no more than that the database refused.
pub(super) fn known(error: &DbErr) -> Option<StoreError> {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => {
            Some(StoreError::Unavailable { reason: error.to_string() })
        }
        DbErr::Exec(RuntimeErr::Internal(reason)) | DbErr::Query(RuntimeErr::Internal(reason)) => {
            Some(StoreError::Lost { reason: reason.clone() })
        }
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            classify(cause)
        }
        _ => None,
    }
}

/// An error that may come from a transaction, and knows whether the whole transaction is worth
/// another try ([`super::Db::transaction`]).
pub trait RetryableError {
    /// Whether the transaction failed only because another one was in the way.
    fn is_retryable(&self) -> bool;
}

impl RetryableError for StoreError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Contended { .. })
    }
}

impl RetryableError for DbErr {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Exec(RuntimeErr::SqlxError(cause)) | Self::Query(RuntimeErr::SqlxError(cause)) => {
                matches!(classify(cause), Some(StoreError::Contended { .. }))
            }
            _ => false,
        }
    }
}

/// Whether the connection can go on after `error`: the server refused one statement, in good
/// order. After anything else (a broken stream, a surprising packet) it is thrown away.
pub(super) fn leaves_connection_usable(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Database(_) => {
            !matches!(classify(error), Some(StoreError::Unavailable { .. } | StoreError::Lost { .. }))
        }
        E::RowNotFound
        | E::ColumnDecode { .. }
        | E::ColumnNotFound(_)
        | E::ColumnIndexOutOfBounds { .. }
        | E::TypeNotFound { .. }
        | E::Encode(_)
        | E::Decode(_) => true,
        _ => false,
    }
}

/// Whether the server is there and turns us down, so that asking again is pointless: no right to
/// the schema (1044), wrong user or password (1045, 1698), no such schema (1049); or we do, as it has no
/// TLS or no certificate that we take.
pub(super) fn turns_us_down(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(cause)) = error else { return false };
    let cause = match cause.as_ref() {
        sqlx::Error::Tls(_) => return true,
        sqlx::Error::Io(error) => return error.kind() == ErrorKind::InvalidData,
        sqlx::Error::Database(cause) => cause,
        _ => return false,
    };
    let number = cause.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    matches!(number, Some(1044 | 1045 | 1049 | 1698))
}

fn classify(error: &sqlx::Error) -> Option<StoreError> {
    let sqlx::Error::Database(cause) = error else {
        return match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Some(StoreError::Lost { reason: error.to_string() }),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                Some(StoreError::unavailable(error.to_string()))
            }
            _ => None,
        };
    };
    let reason = cause.to_string();
    if cause.is_unique_violation() {
        return Some(StoreError::Duplicate { reason });
    }
    if let Some(mysql) = cause.try_downcast_ref::<MySqlDatabaseError>() {
        return classify_mysql(mysql.number(), reason);
    }
    cause.try_downcast_ref::<SqliteError>()?;
    let code: i32 = cause.code()?.parse().ok()?;
    classify_sqlite(code, reason)
}

/// By the error numbers of the MySQL and MariaDB manuals.
fn classify_mysql(number: u16, reason: String) -> Option<StoreError> {
    match number {
        // Deadlock; lock wait timed out.
        1213 | 1205 => Some(StoreError::Contended { reason }),
        // Duplicate key, in the spellings that sqlx does not count as a unique violation.
        1022 | 1169 | 1586 => Some(StoreError::Duplicate { reason }),
        // Too many connections (of all, of the user); the server stops or has stopped; the
        // connection was killed or timed out; the network failed; the statement was interrupted;
        // the server was made read-only (a failover is under way); its disk or its memory is full.
        1021
        | 1036
        | 1037
        | 1040
        | 1041
        | 1114
        | 1203
        | 1226
        | 1053
        | 1077
        | 1079
        | 1080
        | 1152
        | 1158..=1161
        | 1184
        | 1290
        | 1317
        | 1836
        | 1927
        | 1969
        | 3024
        | 4031 => Some(StoreError::Unavailable { reason }),
        _ => None,
    }
}

/// By the primary result code, the low byte of the extended one (sqlite.org/rescode.html).
fn classify_sqlite(extended: i32, reason: String) -> Option<StoreError> {
    match extended & 0xff {
        // BUSY and LOCKED.
        5 | 6 => Some(StoreError::Contended { reason }),
        // IOERR, FULL, CANTOPEN.
        10 | 13 | 14 => Some(StoreError::Unavailable { reason }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_into_what_a_caller_can_do() {
        let text = String::new;
        assert!(matches!(classify_mysql(1213, text()), Some(StoreError::Contended { .. })));
        assert!(matches!(classify_mysql(1205, text()), Some(StoreError::Contended { .. })));
        for away in [1021, 1036, 1040, 1114, 1290] {
            assert!(classify_mysql(away, text()).is_some_and(|error| error.is_passing()), "{away}");
        }
        assert!(!StoreError::Duplicate { reason: text() }.is_passing());
        assert!(classify_mysql(1064, text()).is_none());
        assert!(matches!(classify_sqlite(5, text()), Some(StoreError::Contended { .. })));
        assert!(matches!(classify_sqlite(517, text()), Some(StoreError::Contended { .. })));
        assert!(classify_sqlite(1, text()).is_none());
    }
}
