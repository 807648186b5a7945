//! Bringing the schema up to date, alone among all nodes.

use sea_orm::{DatabaseConnection, DbErr, SqlxMySqlConnector, SqlxSqliteConnector};
use sqlx::Executor as _;
use sqlx::pool::PoolOptions;

use super::{Db, Origin, StoreError, mysql, sqlite};

impl Db {
    /// Applies the schema steps that are missing, in order, and returns their names. Rows are
    /// never changed. Nodes that start at the same time wait for the first one; running it again
    /// does nothing. On MySQL it is guarded by a named lock of the server, on SQLite by the lock
    /// of the data directory.
    ///
    /// # Errors
    /// When a step fails (it can be run again: each step looks first what is there), or another
    /// node is still at it after ten minutes.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let _alone = self.inner.migrating.lock().await;
        let conn = self.inner.origin.dedicated().await?;
        let applied = migrations::up(&conn).await;
        conn.close().await?;
        Ok(applied?)
    }

    /// The names of the schema steps that [`Db::migrate`] would apply. Changes nothing.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let conn = self.inner.origin.dedicated().await?;
        let pending = migrations::pending(&conn).await;
        conn.close().await?;
        Ok(pending?)
    }
}

impl Origin {
    /// A single connection without a statement deadline: a step may build an index for minutes,
    /// and the named lock belongs to the connection that took it.
    async fn dedicated(&self) -> Result<DatabaseConnection, StoreError> {
        match self {
            Self::MySql(entry) => {
                let single = single::<sqlx::MySql>().after_connect(|conn, _| {
                    Box::pin(async move { conn.execute(mysql::SQL_MODE).await.map(|_| ()) })
                });
                let pool = single.connect_with(mysql::options(entry)).await.map_err(unreachable)?;
                Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool))
            }
            Self::Sqlite { data_dir, .. } => {
                let pool = single().connect_with(sqlite::options(data_dir)).await.map_err(unreachable)?;
                Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
            }
        }
    }
}

fn single<D: sqlx::Database>() -> PoolOptions<D> {
    PoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(std::time::Duration::from_secs(10))
}

fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::from(DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))
}
