//! One physical connection and the four ways to run a statement on it.
//!
//! sea-orm's own pool is sqlx's, which pings a connection each time it comes back (a round trip
//! per statement) and waits without limit for that ping: a connection cut off in the middle of a
//! statement would hold its place in the pool until TCP gives up, a quarter of an hour later.
//! Hence connections are sqlx's, statements and rows sea-orm's, and the pool deadpool's.

use std::sync::Arc;

use sea_orm::sea_query::Values;
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, SqliteConnection};

use super::error::leaves_connection_usable;
use super::statement_log::Watched;

/// A connection, and where it leads.
#[derive(Debug)]
pub(super) struct Link {
    wire: Wire,
    /// In logs.
    database: Arc<str>,
}

/// A connection to either family.
#[derive(Debug)]
pub(super) enum Wire {
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// A failed statement, and whether the connection may go on.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: DbErr,
    pub(super) usable: bool,
}

/// Runs `$body` with `$conn` bound to the connection, whichever it is, and `$query` to the
/// statement prepared for it.
macro_rules! with_query {
    ($wire:expr, $text:expr, $values:expr, |$conn:ident, $query:ident| $body:expr) => {
        match $wire {
            Wire::MySql($conn) => {
                let $query = sqlx::query_with(AssertSqlSafe($text), values($values));
                $body
            }
            Wire::Sqlite($conn) => {
                let $query = sqlx::query_with(AssertSqlSafe($text), values($values));
                $body
            }
        }
    };
}

impl Link {
    pub(super) fn new(wire: Wire, database: Arc<str>) -> Self {
        Self { wire, database }
    }

    /// Runs a statement and tells how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, Failed> {
        let text = Arc::new(statement.sql);
        let watched = Watched::begin(Arc::clone(&text), &self.database);
        let ended = with_query!(&mut self.wire, text, statement.values, |conn, query| query
            .execute(conn)
            .await
            .map(ExecResult::from));
        watched.ended(ended.as_ref().ok().map(ExecResult::rows_affected));
        ended.map_err(|error| failed(error, DbErr::Exec))
    }

    /// Runs SQL text as it is, without preparing it.
    pub(super) async fn execute_text(&mut self, sql: &str) -> Result<ExecResult, Failed> {
        let text = Arc::new(sql.to_owned());
        let watched = Watched::begin(Arc::clone(&text), &self.database);
        let text = sqlx::raw_sql(AssertSqlSafe(text));
        let ended = match &mut self.wire {
            Wire::MySql(conn) => text.execute(conn).await.map(ExecResult::from),
            Wire::Sqlite(conn) => text.execute(conn).await.map(ExecResult::from),
        };
        watched.ended(ended.as_ref().ok().map(ExecResult::rows_affected));
        ended.map_err(|error| failed(error, DbErr::Exec))
    }

    /// Runs a query and returns its first row.
    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, Failed> {
        let text = Arc::new(statement.sql);
        let watched = Watched::begin(Arc::clone(&text), &self.database);
        let (text, values) = (AssertSqlSafe(text), values(statement.values));
        let ended = match &mut self.wire {
            Wire::MySql(conn) => {
                let row = sqlx::query_with(text, values).fetch_optional(conn).await;
                row.map(|row| row.map(QueryResult::from))
            }
            // To its end: one that writes (`RETURNING`) is committed by its last step, and a disk that is full
            // would go unseen.
            Wire::Sqlite(conn) => {
                let rows = sqlx::query_with(text, values).fetch_all(conn).await;
                rows.map(|rows| rows.into_iter().next().map(QueryResult::from))
            }
        };
        watched.ended(ended.as_ref().ok().map(|row| u64::from(row.is_some())));
        ended.map_err(|error| failed(error, DbErr::Query))
    }

    /// Runs a query and returns all of its rows.
    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, Failed> {
        let text = Arc::new(statement.sql);
        let watched = Watched::begin(Arc::clone(&text), &self.database);
        let ended: Result<Vec<_>, _> =
            with_query!(&mut self.wire, text, statement.values, |conn, query| query
                .fetch_all(conn)
                .await
                .map(|rows| rows.into_iter().map(QueryResult::from).collect()));
        watched.ended(ended.as_ref().ok().and_then(|rows| u64::try_from(rows.len()).ok()));
        ended.map_err(|error| failed(error, DbErr::Query))
    }

    /// Asks whether the other side is still there.
    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        match &mut self.wire {
            Wire::MySql(conn) => conn.ping().await,
            Wire::Sqlite(conn) => conn.ping().await,
        }
    }

    /// Says goodbye, so that the server need not find out.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self.wire {
            Wire::MySql(conn) => conn.close().await,
            Wire::Sqlite(conn) => conn.close().await,
        }
    }
}

fn values(values: Option<Values>) -> SqlxValues {
    SqlxValues(values.unwrap_or_else(|| Values(Vec::new())))
}

fn failed(error: sqlx::Error, wrap: fn(RuntimeErr) -> DbErr) -> Failed {
    let usable = leaves_connection_usable(&error);
    Failed { error: wrap(RuntimeErr::SqlxError(error.into())), usable }
}
