//! A copy of the embedded file, made by another process while the server runs.

use std::path::Path;
use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::error::StoreError;

/// How long to wait for a server that is just starting or ending.
const BUSY: Duration = Duration::from_secs(10);

/// Copies the embedded file `from` to `to`, which must not be there or be empty. All that was committed
/// before the call is in the copy, and of what is written meanwhile either all or nothing of each
/// transaction. The server writes on undisturbed: the folder's lock is for writers, and a reader of a
/// write-ahead log holds nobody up.
///
/// # Errors
/// When the file cannot be read or the copy not be written, which is unusable then.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |error| refused("copy", from, error);
    let mut source = open(from).await.map_err(failed)?;
    let into = to.to_string_lossy().into_owned();
    sqlx::query("VACUUM INTO ?").bind(into).execute(&mut source).await.map_err(failed)?;
    source.close().await.map_err(failed)
}

/// Reads all of a file and compares its tables with their indexes.
///
/// # Errors
/// When it is damaged or cannot be read.
pub async fn check_sqlite(file: &Path) -> Result<(), StoreError> {
    let failed = |error| refused("check", file, error);
    let mut copy = open(file).await.map_err(failed)?;
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut copy).await.map_err(failed)?;
    copy.close().await.map_err(failed)?;
    match found.as_slice() {
        [ok] if ok == "ok" => Ok(()),
        damage => Err(StoreError::Setup(format!("{} is damaged: {}", file.display(), damage.join("; ")))),
    }
}

async fn open(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY);
    let mut conn = options.connect().await?;
    // Opening reads nothing yet.
    conn.execute("SELECT 1 FROM sqlite_schema").await?;
    Ok(conn)
}

fn refused(what: &str, file: &Path, error: sqlx::Error) -> StoreError {
    let error = DbErr::Query(RuntimeErr::SqlxError(error.into()));
    StoreError::Setup(format!("cannot {what} {}: {error}", file.display()))
}
