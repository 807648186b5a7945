//! Connections that are kept, checked only when there is a reason to, and dropped when in doubt.
//!
//! - A connection used within the last second is handed out as it is; after a longer pause, or
//!   once a statement has failed to come back, it has to answer a ping first.
//! - One that does not answer takes all the idle ones of its time with it: the next statement
//!   opens a new connection instead of finding out about the dead ones one by one.
//! - A connection goes back only in a known state. If its statement was cut off (deadline,
//!   cancelled request) it is closed on the spot, which frees its place at once.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::{Instant as Deadline, timeout};

use super::dialect::Dialect;
use super::error::StoreError;
use super::link::{Link, Wire};
use super::metrics::PoolMetrics;
use super::mysql::SQL_MODE;
use super::nesting::assert_no_transaction;

/// How long a live server may take to answer a ping.
const PING_LIMIT: Duration = Duration::from_millis(400);
/// A connection idle for longer is pinged before its next use.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// An idle connection above the idle bound is kept this long, against a flutter of reconnects.
const SPARE_FOR: Duration = Duration::from_secs(4);
/// Any other: well before the server ends it ([`MYSQL_SESSION`]).
const IDLE_FOR: Duration = Duration::from_secs(8);

/// How long a connection is waited for while others come back: a rush is served late rather than refused, whereas
/// a database that is away gives none back.
const RUSH_LIMIT: Duration = Duration::from_secs(8);

/// Sent once on each new MySQL connection. Row locks are waited for at most a second, so that a
/// wait ends with an error that rolls back, and not with the statement's deadline. A node that is
/// frozen in the midst of a transaction keeps its locks, and others from leading, for 10 s at most.
const MYSQL_SESSION: [&str; 3] = [
    SQL_MODE,
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION innodb_lock_wait_timeout = 1, SESSION wait_timeout = 10",
];

/// Where connections lead.
#[derive(Clone, Debug)]
pub(super) enum Target {
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl Target {
    /// Opens a connection with the session settings of the server.
    async fn open(&self, database: Arc<str>) -> Result<Link, sqlx::Error> {
        let wire = match self {
            Self::MySql(options) => {
                let mut conn = options.connect().await?;
                for setting in MYSQL_SESSION {
                    sqlx::raw_sql(setting).execute(&mut conn).await?;
                }
                Wire::MySql(conn)
            }
            Self::Sqlite(options) => {
                let mut conn = options.connect().await?;
                conn.ping().await?;
                Wire::Sqlite(conn)
            }
        };
        Ok(Link::new(wire, database))
    }

    /// In logs: never the user or the password.
    fn name(&self) -> Arc<str> {
        match self {
            Self::MySql(options) => {
                let database = options.get_database().unwrap_or_default();
                format!("{}:{}/{database}", options.get_host(), options.get_port()).into()
            }
            Self::Sqlite(options) => options.get_filename().to_string_lossy().into(),
        }
    }

    fn is_remote(&self) -> bool {
        matches!(self, Self::MySql(_))
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::MySql(_) => Dialect::MySql,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }
}

/// How many connections a pool may hold, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Open connections at most.
    pub(super) open: usize,
    /// Idle connections that are kept longer than others.
    pub(super) idle: usize,
    /// Age at which a connection is replaced; None: never.
    pub(super) life: Option<Duration>,
}

/// deadpool's manager: opens connections and decides which of the kept ones may be used again.
#[derive(Debug)]
pub(super) struct Opener {
    target: Target,
    /// Names the target in logs.
    name: Arc<str>,
    bounds: Bounds,
    metrics: PoolMetrics,
    born: Instant,
    /// Connections last taken before this moment (ms after `born`) have to answer a ping.
    doubted_until: AtomicU64,
    /// Connections last taken before this moment are dead.
    dead_until: AtomicU64,
    /// How many connections came back in good order.
    given_back: AtomicU64,
}

impl Opener {
    fn ms(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_millis()).unwrap_or(u64::MAX)
    }

    fn mark(&self, mark: &AtomicU64) {
        mark.fetch_max(self.ms(Instant::now()).saturating_add(1), Ordering::Relaxed);
    }

    fn outlived(&self, metrics: &Metrics) -> bool {
        let is_old = self.bounds.life.is_some_and(|life| metrics.age() > life);
        is_old || self.target.is_remote() && metrics.last_used() > IDLE_FOR
    }
}

impl managed::Manager for Opener {
    type Type = Link;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Link, sqlx::Error> {
        let link = self.target.open(Arc::clone(&self.name)).await?;
        self.metrics.answered(true);
        Ok(link)
    }

    async fn recycle(&self, link: &mut Link, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let taken = self.ms(metrics.recycled.unwrap_or(metrics.created));
        if taken < self.dead_until.load(Ordering::Relaxed) || self.outlived(metrics) {
            return Err(RecycleError::message("outlived"));
        }
        let doubted = taken < self.doubted_until.load(Ordering::Relaxed);
        if !doubted && metrics.last_used() < TRUSTED_FOR {
            return Ok(());
        }
        let is_there = matches!(timeout(PING_LIMIT, link.ping()).await, Ok(Ok(())));
        self.metrics.answered(is_there);
        if is_there {
            return Ok(());
        }
        self.mark(&self.dead_until);
        Err(RecycleError::message("no answer to a ping"))
    }
}

/// A pool of connections to one database.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    inner: managed::Pool<Opener>,
}

impl Pool {
    /// A pool that opens its connections when they are needed.
    pub(super) fn new(target: Target, bounds: Bounds, metrics: PoolMetrics) -> Result<Self, StoreError> {
        let opener = Opener {
            name: target.name(),
            target,
            bounds,
            metrics,
            born: Instant::now(),
            doubted_until: AtomicU64::new(0),
            dead_until: AtomicU64::new(0),
            given_back: AtomicU64::new(0),
        };
        // The one used last goes first, so that the others can grow old and be closed.
        let inner = managed::Pool::builder(opener)
            .max_size(bounds.open)
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| StoreError::Setup(format!("cannot set up the database pool: {error}")))?;
        let pool = Self { inner };
        pool.show();
        Ok(pool)
    }

    /// What is counted of it.
    pub(super) fn metrics(&self) -> &PoolMetrics {
        &self.inner.manager().metrics
    }

    fn show(&self) {
        self.metrics().show(&self.inner.status());
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.inner.manager().target.dialect()
    }

    /// Takes a connection out, waiting at most [`Dialect::acquire_limit`] for the next one to come back, and
    /// [`RUSH_LIMIT`] in all. With it the deadline of a statement, into which only an ordinary wait counts.
    pub(super) async fn lease(&self) -> Result<(Lease, Deadline), DbErr> {
        assert_no_transaction();
        let (asked, limit) = (Deadline::now(), self.dialect().acquire_limit());
        let given_back = || self.inner.manager().given_back.load(Ordering::Relaxed);
        let mut before = given_back();
        let mut get = pin!(self.inner.get());
        let timed = loop {
            let timed = timeout(limit, get.as_mut()).await;
            let is_moving = given_back() != std::mem::replace(&mut before, given_back());
            if timed.is_ok() || !is_moving || asked.elapsed() >= RUSH_LIMIT {
                break timed;
            }
        };
        let waited = asked.elapsed();
        self.metrics().wait.observe(waited.as_secs_f64());
        let error = match timed {
            Ok(Ok(object)) => {
                let begun = if waited > limit { Deadline::now() } else { asked };
                let lease = Lease { object: Some(object), settled: true };
                return Ok((lease, begun + self.dialect().statement_limit()));
            }
            Ok(Err(PoolError::Backend(error))) => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
            Ok(Err(PoolError::Closed)) => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            Ok(Err(_)) | Err(_) => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        };
        self.metrics().failed(&error);
        Err(error)
    }

    /// Closes what is idle beyond the bound, or too old, and shows what is left.
    pub(super) fn trim(&self) {
        let opener = self.inner.manager();
        let status = self.inner.status();
        let mut spare = status.available.saturating_sub(opener.bounds.idle);
        drop(self.inner.retain(|_, metrics| {
            if opener.outlived(&metrics) {
                return false;
            }
            let surplus = spare > 0 && metrics.last_used() > SPARE_FOR;
            spare -= usize::from(surplus);
            !surplus
        }));
        self.show();
    }

    /// Drops all idle connections, without a word to the server.
    pub(super) fn forget_idle(&self) {
        drop(self.inner.retain(|_, _| false));
    }

    /// Refuses new work and closes the idle connections in good order.
    pub(super) async fn close(&self) {
        let idle = self.inner.retain(|_, _| false);
        self.inner.close();
        for link in idle.removed {
            // A server that does not take its leave is left to find out by itself.
            let _ = timeout(PING_LIMIT, link.close()).await;
        }
    }
}

/// A connection on loan. It goes back to the pool only when its last statement has ended in good
/// order; else it is closed when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    object: Option<Object<Opener>>,
    settled: bool,
}

impl Lease {
    /// The connection, from now on in an unknown state until [`Lease::settle`].
    pub(super) fn link(&mut self) -> Result<&mut Link, DbErr> {
        self.settled = false;
        self.object.as_deref_mut().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    /// Counts a statement that failed.
    pub(super) fn failed(&self, error: &DbErr) {
        if let Some(pool) = self.object.as_ref().and_then(Object::pool) {
            pool.manager().metrics.failed(error);
        }
    }

    /// The last statement has ended and the connection may be used again.
    pub(super) fn settle(&mut self) {
        self.settled = true;
    }

    /// Closes the connection now.
    pub(super) fn discard(&mut self) {
        let Some(object) = self.object.take() else { return };
        if let Some(pool) = Object::pool(&object) {
            let opener = pool.manager();
            opener.mark(&opener.doubted_until);
        }
        drop(Object::take(object));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.object.as_ref().and_then(Object::pool) {
            Some(pool) if self.settled => _ = pool.manager().given_back.fetch_add(1, Ordering::Relaxed),
            _ => self.discard(),
        }
    }
}
