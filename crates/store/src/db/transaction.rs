//! Transactions: all of the work again when another transaction was in the way.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;
use tokio::time::Instant as Deadline;

use super::Db;
use super::conn::{Running, run_on};
use super::dialect::Dialect;
use super::error::{RetryableError, StoreError};
use super::link::Link;
use super::nesting;
use super::pool::{Lease, Pool};

/// How often the work is done at most.
const TRIES: u32 = 3;
/// The pause before the second try is below this, before the third below twice of it.
const PAUSE: Duration = Duration::from_millis(40);
/// No further try is begun after this long: the caller has waited enough.
const PATIENCE: Duration = Duration::from_millis(1200);

/// An open transaction. Every statement has the deadline of [`super::Conn`].
///
/// `'env` is what the work may borrow from; it is always inferred.
#[derive(Debug)]
pub struct Tx<'env> {
    dialect: Dialect,
    durability: Durability,
    lease: Mutex<Lease>,
    wakes: AtomicBool,
    env: PhantomData<fn(&'env ()) -> &'env ()>,
}

/// What a commit waits for on SQLite.
#[derive(Clone, Copy, Debug)]
enum Durability {
    /// The disk.
    Full,
    /// The operating system (sqlite.org/pragma.html, "synchronous").
    Lazy,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Commit,
    RollBack,
}

/// The future that a transaction's work returns.
pub type Work<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

impl Db {
    /// Runs `work` in one transaction on the writable database and commits it; an error rolls it
    /// back. READ COMMITTED on MySQL, `BEGIN IMMEDIATE` on SQLite.
    ///
    /// When another transaction was in the way (a deadlock, a lock not given up in time) the whole
    /// of `work` is done again, at most three times in all: it must have no effect besides its
    /// statements. Statements inside go to the [`Tx`], never to [`Db::writer`] or a look-up, which would
    /// wait for a connection while they hold one; debug builds panic there.
    ///
    /// # Errors
    /// What `work` returned last, or a [`StoreError`] when the transaction could not be begun or
    /// committed. After a failed commit it is unknown whether the work was done.
    pub async fn transaction<'env, T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'c> Fn(&'c Tx<'env>) -> Work<'c, T, E> + Send + Sync,
        T: Send,
        E: From<StoreError> + RetryableError + Send,
    {
        self.repeat(Durability::Full, work).await
    }

    /// As [`Db::transaction`], but on SQLite it does not wait for the disk: a power cut (not the death of
    /// the process) may undo it, together with all that came after it. For notes about work that is
    /// simply done again then.
    ///
    /// # Errors
    /// As for [`Db::transaction`].
    pub async fn lazy_transaction<'env, T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'c> Fn(&'c Tx<'env>) -> Work<'c, T, E> + Send + Sync,
        T: Send,
        E: From<StoreError> + RetryableError + Send,
    {
        self.repeat(Durability::Lazy, work).await
    }

    async fn repeat<'env, T, E, F>(&self, durability: Durability, work: F) -> Result<T, E>
    where
        F: for<'c> Fn(&'c Tx<'env>) -> Work<'c, T, E> + Send + Sync,
        T: Send,
        E: From<StoreError> + RetryableError + Send,
    {
        let started = Instant::now();
        let mut tried = 1;
        loop {
            let outcome = attempt(self, durability, &work).await;
            match outcome {
                Err(error) if error.is_retryable() && tried < TRIES && started.elapsed() < PATIENCE => {
                    self.writer().pool().metrics().retries.inc();
                    let pause = PAUSE.mul_f64(f64::from(tried) * rand::random_range(0.25..1.0));
                    tokio::time::sleep(pause).await;
                    tried += 1;
                }
                outcome => return outcome,
            }
        }
    }
}

async fn attempt<'env, T, E, F>(db: &Db, durability: Durability, work: &F) -> Result<T, E>
where
    F: for<'c> Fn(&'c Tx<'env>) -> Work<'c, T, E> + Send + Sync,
    E: From<StoreError>,
{
    let tx = Tx::begin(db.writer().pool(), durability).await.map_err(StoreError::from)?;
    match nesting::holding(work(&tx)).await {
        Ok(value) => {
            let wakes = tx.wakes.load(Ordering::Relaxed);
            tx.finish(End::Commit).await.map_err(StoreError::from)?;
            if wakes {
                db.wake();
            }
            Ok(value)
        }
        Err(error) => {
            // The work's own error says more than a rollback that failed; the connection is
            // closed then, and the server rolls back by itself.
            if let Err(lost) = tx.finish(End::RollBack).await {
                tracing::debug!(error = %lost, "rollback failed, the connection was closed");
            }
            Err(error)
        }
    }
}

impl Tx<'_> {
    async fn begin(pool: &Pool, durability: Durability) -> Result<Self, DbErr> {
        let dialect = pool.dialect();
        let (mut lease, deadline) = pool.lease().await?;
        let begin = match (dialect, durability) {
            (Dialect::MySql, _) => "BEGIN",
            (Dialect::Sqlite, Durability::Full) => "BEGIN IMMEDIATE",
            (Dialect::Sqlite, Durability::Lazy) => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
        };
        let begun = run_on(&mut lease, deadline, |link| Box::pin(link.execute_text(begin))).await;
        if begun.is_err() {
            // Half of it may be done: the next one must not find a connection that is not durable.
            lease.discard();
        }
        begun?;
        // Until it is finished, dropping this must close the connection and so roll back.
        lease.link()?;
        Ok(Self {
            dialect,
            durability,
            lease: Mutex::new(lease),
            wakes: AtomicBool::new(false),
            env: PhantomData,
        })
    }

    async fn finish(self, end: End) -> Result<(), DbErr> {
        let how = match (end, self.dialect, self.durability) {
            (End::Commit, Dialect::Sqlite, Durability::Lazy) => "COMMIT; PRAGMA synchronous = FULL",
            (End::Commit, ..) => "COMMIT",
            (End::RollBack, Dialect::Sqlite, Durability::Lazy) => "ROLLBACK; PRAGMA synchronous = FULL",
            (End::RollBack, ..) => "ROLLBACK",
        };
        let mut lease = self.lease.into_inner();
        let deadline = Deadline::now() + self.dialect.statement_limit();
        let ended = run_on(&mut lease, deadline, |link| Box::pin(link.execute_text(how))).await;
        if ended.is_err() {
            // Whether the transaction is still open is unknown; it ends with its connection.
            lease.discard();
        }
        ended.map(|_| ())
    }

    /// Which SQL it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Once this transaction is committed, wakes those of this process who wait for the work that it
    /// leaves behind ([`Db::left_work`]).
    pub fn leaves_work(&self) {
        self.wakes.store(true, Ordering::Relaxed);
    }

    async fn run<T: Send>(
        &self,
        operation: impl for<'a> FnOnce(&'a mut Link) -> Running<'a, T> + Send,
    ) -> Result<T, DbErr> {
        let deadline = Deadline::now() + self.dialect.statement_limit();
        let locked = tokio::time::timeout_at(deadline, self.lease.lock()).await;
        let mut lease = locked.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        let ended = run_on(&mut lease, deadline, operation).await;
        // Still inside the transaction: not to be handed to anyone else if this is dropped now.
        if let Err(gone) = lease.link() {
            return ended.and(Err(gone));
        }
        ended
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.dialect.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(|link| Box::pin(link.execute(statement))).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        self.run(|link| Box::pin(async move { link.execute_text(&sql).await })).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(|link| Box::pin(link.query_one(statement))).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(|link| Box::pin(link.query_all(statement))).await
    }
}
