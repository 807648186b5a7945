//! A database as sea-orm sees it: each statement takes a connection, and has a deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use tokio::time::{Instant, timeout_at};

use super::connection::{Connection, Failed};
use super::dialect::Dialect;
use super::pool::{Lease, Pool};

pub(super) type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 'a>>;

/// One database, through its pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Conn {
    pool: Pool,
    /// Of a read replica: whether it may be read from.
    health: Option<Arc<AtomicBool>>,
}

impl Conn {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, health: None }
    }

    /// A replica's connection: not healthy until it is found to be, and no longer from the moment a
    /// statement does not reach it.
    pub(super) fn with_health(self) -> Self {
        Self { health: Some(Arc::default()), ..self }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.health.as_ref().is_none_or(|health| health.load(Ordering::Relaxed))
    }

    /// Returns what it was before.
    pub(super) fn set_health(&self, healthy: bool) -> bool {
        self.health.as_ref().is_none_or(|health| health.swap(healthy, Ordering::Relaxed))
    }

    /// Which SQL it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.pool.dialect()
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn run<T: Send>(
        &self,
        operation: impl for<'a> FnOnce(&'a mut Connection) -> Running<'a, T> + Send,
    ) -> Result<T, DbErr> {
        let ended = self.run_once(operation).await;
        if let (Some(health), Err(error)) = (&self.health, &ended)
            && is_out_of_reach(error)
        {
            health.store(false, Ordering::Relaxed);
        }
        ended
    }

    async fn run_once<T: Send>(
        &self,
        operation: impl for<'a> FnOnce(&'a mut Connection) -> Running<'a, T> + Send,
    ) -> Result<T, DbErr> {
        let (mut lease, deadline) = self.pool.lease().await?;
        run_on(&mut lease, deadline, operation).await
    }
}

/// Runs one operation on a connection until `deadline`; afterwards the connection is settled,
/// unless it is no longer in a known state.
pub(super) async fn run_on<T: Send>(
    lease: &mut Lease,
    deadline: Instant,
    operation: impl for<'a> FnOnce(&'a mut Connection) -> Running<'a, T> + Send,
) -> Result<T, DbErr> {
    let ended = timeout_at(deadline, operation(lease.connection()?)).await;
    match ended {
        Ok(Ok(value)) => {
            lease.settle();
            Ok(value)
        }
        Ok(Err(failed)) => {
            lease.failed(&failed.error);
            if failed.usable {
                lease.settle();
            } else {
                lease.discard();
            }
            Err(failed.error)
        }
        Err(_) => {
            // Sent, and perhaps done: [`StoreError::Lost`].
            let error = DbErr::Query(RuntimeErr::Internal("no answer in time".to_owned()));
            lease.failed(&error);
            lease.discard();
            Err(error)
        }
    }
}

/// Whether `error` says that the database cannot be reached or does not answer.
fn is_out_of_reach(error: &DbErr) -> bool {
    matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_) | DbErr::Query(RuntimeErr::Internal(_)))
}

#[async_trait::async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        self.dialect().backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(|connection| Box::pin(connection.execute(statement))).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        self.run(|connection| Box::pin(async move { connection.execute_text(&sql).await })).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(|connection| Box::pin(connection.query_one(statement))).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(|connection| Box::pin(connection.query_all(statement))).await
    }
}
