//! The text of statements, from MariaDB's general log: what a count is made of.

use anyhow::Result;
use sqlx::mysql::MySqlConnection;
use sqlx::{Executor as _, Row as _};

const BEGIN: [&str; 3] =
    ["TRUNCATE TABLE mysql.general_log", "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1"];
const END: &str = "SET GLOBAL general_log = 0";
/// The table holds wall-clock times of the sessions that were logged: the server's, which have the database's zone.
const ZONE: &str = "SET @own_zone = @@SESSION.time_zone, time_zone = @@GLOBAL.time_zone";
const OWN_ZONE: &str = "SET time_zone = @own_zone";
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
    connection.execute(sqlx::raw_sql(ZONE)).await?;
    let rows = connection.fetch_all(sqlx::raw_sql(READ)).await;
    connection.execute(sqlx::raw_sql(OWN_ZONE)).await?;
    let rows = rows?;
    rows.iter().map(|row| Ok(Logged { text: row.try_get(0)?, at: row.try_get(1)? })).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use sqlx::Connection as _;
    use testbed::{Folder, MariaDb, free_address, install};

    use super::*;

    /// In the zone of the tests' database, which is nobody's, and of a session that has none of its own.
    #[tokio::test]
    async fn a_statement_began_when_it_was_sent() -> Result<()> {
        let folder = Folder::temporary("liveloom-statements-")?;
        install("mariadb", folder.path()).await?;
        let database = MariaDb::new("mariadb", folder.path(), free_address()?, "loom", &["--skip-log-bin"]);
        database.daemon.start().await?;
        database.create_account().await?;
        database.execute("GRANT ALL ON *.* TO 'loom'@'%'").await?;
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|now| now.as_secs_f64());
        let mut reader = database.connect().await?;
        let mut server = MySqlConnection::connect_with(&database.options().timezone(None)).await?;
        begin(&mut reader).await?;
        let before = now()?;
        server.execute(sqlx::raw_sql("SELECT 'a statement of the server'")).await?;
        let logged = end(&mut reader).await?;
        let found = logged.iter().find(|logged| logged.text.contains("a statement of the server"));
        let at = found.map(|logged| logged.at).unwrap_or_default();
        assert!((before - 1.0..now()? + 1.0).contains(&at), "{} s off", at - before);
        Ok(())
    }
}
