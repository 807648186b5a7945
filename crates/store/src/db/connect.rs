//! Opening the databases, and looking after them while they are open.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono_tz::Asia::Shanghai;
use sea_orm::{ConnectionTrait as _, DbErr};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, MissedTickBehavior, sleep};

use super::error::turns_us_down;
use super::metrics::{Metrics, Role};
use super::mysql::Entries;
use super::replica::Replicas;
use super::{Db, Inner, Origin, Readers, StoreError, mysql, sqlite};
use common::clock::SharedClock;
use common::supervise;
use config::{LimitsConfig, MysqlConfig};

/// How long to go on trying at start; a database started beside the server may need a moment.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);
/// How often the replicas are measured and idle connections counted.
const ROUND: Duration = Duration::from_secs(1);

impl Db {
    /// Opens the writable database and, lazily, the read-only ones; `data_dir/liveloom.db` when
    /// `mysql.databases` is empty. The schema is left as it is: see [`Db::migrate`].
    ///
    /// # Errors
    /// One line that says what to do: the settings do not name exactly one writable database, it
    /// does not answer within five seconds, or another process has the data directory.
    pub async fn connect(
        mysql: &MysqlConfig,
        data_dir: &Path,
        limits: &LimitsConfig,
        clock: SharedClock,
    ) -> Result<Self, StoreError> {
        let metrics = Metrics::new().map_err(|error| StoreError::Setup(error.to_string()))?;
        let inner = match mysql::entries(mysql)? {
            Some(Entries { writer, replicas }) => Inner {
                writer: mysql::conn(writer, metrics.pool(&mysql::place(writer), Role::Writer))?,
                readers: Readers::Replicas(Replicas::new(&replicas, limits.replica_lag_s, &metrics)?),
                zone: writer.loc,
                clock,
                origin: Origin::MySql(Box::new(writer.clone())),
                metrics,
                left_work: watch::Sender::new(()),
                migrating: Mutex::new(()),
            },
            None => {
                let lock = sqlite::lock(data_dir)?;
                sqlite::keep_private(data_dir)?;
                let (writer, reader) = sqlite::conns(data_dir, &metrics)?;
                Inner {
                    writer,
                    readers: Readers::Embedded(reader),
                    zone: Shanghai,
                    clock,
                    metrics,
                    origin: Origin::Sqlite {
                        data_dir: data_dir.to_owned(),
                        lock: std::sync::Mutex::new(Some(lock)),
                    },
                    left_work: watch::Sender::new(()),
                    migrating: Mutex::new(()),
                }
            }
        };
        let db = Self { inner: Arc::new(inner) };
        db.wait_for_answer().await?;
        supervise::spawn("databases", look_after(Arc::downgrade(&db.inner)));
        Ok(db)
    }

    async fn wait_for_answer(&self) -> Result<(), StoreError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Err(error) = self.inner.writer.execute_unprepared("SELECT 1").await else { return Ok(()) };
            if Instant::now() >= deadline || turns_us_down(&error) {
                return Err(StoreError::Setup(self.inner.origin.unreachable(&error)));
            }
            sleep(PAUSE).await;
        }
    }
}

impl Origin {
    fn unreachable(&self, error: &DbErr) -> String {
        match self {
            Self::MySql(entry) => {
                format!("cannot open the database {} (mysql.databases): {error}", mysql::place(entry))
            }
            Self::Sqlite { data_dir, .. } => {
                format!("cannot open {}: {error}", data_dir.join(sqlite::FILE).display())
            }
        }
    }
}

/// Runs until the last [`Db`] is gone.
async fn look_after(inner: Weak<Inner>) {
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        inner.writer.pool().trim();
        match &inner.readers {
            Readers::Replicas(replicas) => replicas.measure(&inner.writer).await,
            Readers::Embedded(conn) => conn.pool().trim(),
        }
    }
}
