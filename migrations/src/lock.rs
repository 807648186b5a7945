//! One migration at a time in a MySQL schema, whichever node runs it.

use std::time::{Duration, Instant};

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// How long to wait for another node; building an index of a large table takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The lock's name: one per schema, and within the 64 characters that MySQL allows.
const NAME: &str = "CONCAT('liveloom:', SHA1(DATABASE()))";

/// A DDL statement waits this many seconds for transactions that use the table, and fails then:
/// the default would block every other user of the table behind it for up to a year.
const METADATA_WAIT: &str = "SET SESSION lock_wait_timeout = 60";

/// Takes the lock of the connected schema. It ends with the connection at the latest.
pub(crate) async fn take(conn: &impl ConnectionTrait) -> Result<(), DbErr> {
    conn.execute_unprepared(METADATA_WAIT).await?;
    let started = Instant::now();
    while !ask(conn, &format!("SELECT GET_LOCK({NAME}, 5) AS held")).await? {
        if started.elapsed() > PATIENCE {
            return Err(DbErr::Migration("another node has been changing the schema for ten minutes".into()));
        }
        tracing::info!("another node is changing the schema; waiting for it");
    }
    Ok(())
}

/// Gives the lock back.
pub(crate) async fn release(conn: &impl ConnectionTrait) -> Result<(), DbErr> {
    ask(conn, &format!("SELECT RELEASE_LOCK({NAME}) AS held")).await.map(|_| ())
}

async fn ask(conn: &impl ConnectionTrait, sql: &str) -> Result<bool, DbErr> {
    let row = conn.query_one_raw(Statement::from_string(DbBackend::MySql, sql)).await?;
    let held: Option<i64> = row.map(|row| row.try_get("", "held")).transpose()?.flatten();
    Ok(held == Some(1))
}
