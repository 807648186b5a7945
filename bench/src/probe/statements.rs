//! The text of statements, from MariaDB's general log: what a count is made of.

use anyhow::Result;
use sqlx::mysql::MySqlConnection;
use sqlx::{Executor as _, Row as _};

const BEGIN: [&str; 3] =
    ["TRUNCATE TABLE mysql.general_log", "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1"];
const END: &str = "SET GLOBAL general_log = 0";
const READ: &str = "SELECT CONVERT(argument USING utf8mb4), CAST(UNIX_TIMESTAMP(event_time) AS DOUBLE) \
     FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') AND thread_id <> CONNECTION_ID() \
     ORDER BY event_time";

/// A statement as it was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// Its text, with its values.
    pub text: String,
    /// When it began, in seconds since the epoch.
    pub at: f64,
}

/// Starts to log what other connections send.
pub async fn begin(connection: &mut MySqlConnection) -> Result<()> {
    for statement in BEGIN {
        connection.execute(sqlx::raw_sql(statement)).await?;
    }
    Ok(())
}

/// Ends the log; the statements since [`begin`].
pub async fn end(connection: &mut MySqlConnection) -> Result<Vec<Logged>> {
    connection.execute(sqlx::raw_sql(END)).await?;
    let rows = connection.fetch_all(sqlx::raw_sql(READ)).await?;
    rows.iter().map(|row| Ok(Logged { text: row.try_get(0)?, at: row.try_get(1)? })).collect()
}
