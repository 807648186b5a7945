//! The databases: one writable, any number of read replicas, or one embedded file.
//!
//! [`Db`] hands out [`Conn`]s (each statement on any connection, with a deadline) and runs
//! transactions ([`Db::transaction`]). All differences between MySQL and SQLite that a feature
//! would meet are behind this module.

mod backup;
mod bounded_page;
mod bulk;
mod conn;
mod connect;
mod connection;
mod dialect;
mod error;
mod metrics;
mod migrate;
mod mysql;
mod nesting;
mod own_writes;
mod pool;
mod prefix;
mod replica;
mod sqlite;
mod statement_log;
mod transaction;
mod upsert;
mod wall_time;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use prometheus::Registry;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::sync::{Mutex, watch};

pub use backup::{check_sqlite, copy_sqlite};
pub use bounded_page::{MAX_LISTED_ROWS, bounded_page, count_up_to};
pub use bulk::{BulkUpdate, LOCKED_AT_ONCE, padded, placeholders};
pub use conn::Conn;
pub use dialect::Dialect;
pub use error::{RetryableError, StoreError};
pub use metrics::WriterRead;
pub use nesting::assert_no_transaction;
pub use own_writes::reading_own_writes;
pub use prefix::escape_like;
pub use sqlite::FILE as SQLITE_FILE;
pub use transaction::{Tx, Work};
pub use upsert::{Added, UpsertAdd, increase, upsert_add};
pub use wall_time::WallTime;

use common::clock::SharedClock;
use config::DatabaseConfig;
use metrics::Metrics;
use replica::Replicas;

/// The databases of this node. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Conn,
    readers: Readers,
    zone: Tz,
    clock: SharedClock,
    origin: Origin,
    metrics: Metrics,
    /// Changes with each commit that leaves work behind.
    left_work: watch::Sender<()>,
    /// Held while the node changes the schema: one migration at a time in this process.
    migrating: Mutex<()>,
}

/// Who answers what need not be the latest.
enum Readers {
    /// The read replicas of a MySQL; may be empty.
    Replicas(Replicas),
    /// The reading connections of the embedded file, which see each committed write at once.
    Embedded(Conn),
}

/// What was connected to; the migrations open a connection of their own to it.
enum Origin {
    MySql(Box<DatabaseConfig>),
    /// The lock lasts as long as the file is open.
    Sqlite {
        data_dir: PathBuf,
        /// The lock lasts as long as the file is open; closing takes it out.
        lock: std::sync::Mutex<Option<File>>,
    },
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl Db {
    /// The database that takes writes, and sees each write at once.
    #[must_use]
    pub fn writer(&self) -> &Conn {
        &self.inner.writer
    }

    /// A database for lists, searches and statistics: the healthy replicas in turn, else the
    /// writable one. What it answers may be up to `limits.replica_lag_s` old, but not in a call that
    /// reads its caller's own writes ([`reading_own_writes`]).
    #[must_use]
    pub fn reader(&self) -> &Conn {
        match &self.inner.readers {
            Readers::Replicas(replicas) if replicas.is_empty() => &self.inner.writer,
            Readers::Replicas(replicas) => match own_writes::asked_for() {
                Some(why) => self.writer_instead(why),
                None => replicas.next().unwrap_or_else(|| self.writer_instead(replicas.trouble())),
            },
            Readers::Embedded(conn) => conn,
        }
    }

    fn writer_instead(&self, why: WriterRead) -> &Conn {
        self.inner.metrics.writer_read(why);
        &self.inner.writer
    }

    /// For what has to be fresh, such as what the caller has just written: the writable database, or, embedded,
    /// the one that is read from, which is the same file.
    #[must_use]
    pub fn primary(&self) -> &Conn {
        match &self.inner.readers {
            Readers::Replicas(_) => &self.inner.writer,
            Readers::Embedded(conn) => conn,
        }
    }

    /// Whether there are replicas to read from.
    #[must_use]
    pub fn has_replicas(&self) -> bool {
        matches!(&self.inner.readers, Readers::Replicas(replicas) if !replicas.is_empty())
    }

    /// Which SQL the databases speak.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.writer.dialect()
    }

    /// The zone of wall-clock times (`databases[].loc`).
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.inner.zone
    }

    /// `instant` as a DATETIME column holds it: in the zone of the database, fractions cut off.
    #[must_use]
    pub fn wall(&self, instant: DateTime<Utc>) -> WallTime {
        WallTime::at(instant, self.inner.zone)
    }

    /// This moment by the server's clock, as a DATETIME column holds it.
    #[must_use]
    pub fn wall_now(&self) -> WallTime {
        self.wall(self.inner.clock.now())
    }

    /// The instant that a DATETIME column means.
    #[must_use]
    pub fn instant(&self, wall: WallTime) -> DateTime<Utc> {
        wall.instant(self.inner.zone)
    }

    /// The database's own clock in milliseconds since the Unix epoch: one clock for all nodes, for
    /// leases. One statement; [`Dialect::now_ms_sql`] is the same as an expression.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn now_ms(&self, conn: &impl ConnectionTrait) -> Result<i64, StoreError> {
        let sql = format!("SELECT {} AS now_ms", self.dialect().now_ms_sql());
        let row = conn.query_one_raw(Statement::from_string(self.dialect().backend(), sql)).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the database's clock".into()))?;
        Ok(row.try_get("", "now_ms")?)
    }

    /// Asks the writable database for a sign of life.
    ///
    /// # Errors
    /// When it does not give one in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.inner.writer.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Changes after each commit of a transaction of this process that left work behind
    /// ([`Tx::leaves_work`]). A commit of another process, or one whose answer was lost, does not show.
    #[must_use]
    pub fn left_work(&self) -> watch::Receiver<()> {
        self.inner.left_work.subscribe()
    }

    /// Shows what is counted of the databases: `liveloom_database_*`.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        self.inner.metrics.register(registry)
    }

    /// Whether the writable database answered last, without asking it.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.inner.writer.pool().metrics().is_up()
    }

    fn wake(&self) {
        self.inner.left_work.send_replace(());
    }

    /// Drops the idle connections to the writable database. A connection works only as long as the
    /// runtime that opened it: whoever goes on after the server's workers have ended calls this.
    pub fn forget_idle_connections(&self) {
        self.inner.writer.pool().forget_idle();
    }

    /// Closes all connections in good order, and gives the data directory back. Statements of
    /// other clones fail from now on.
    pub async fn close(self) {
        self.inner.writer.pool().close().await;
        match &self.inner.readers {
            Readers::Replicas(replicas) => replicas.close().await,
            Readers::Embedded(conn) => conn.pool().close().await,
        }
        if let Origin::Sqlite { lock, .. } = &self.inner.origin {
            lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}
