//! Read replicas: which of them are up and recent enough to read from.
//!
//! Every node that has replicas writes the time into the one row of `replica_heartbeat` once a
//! second, by the writable database's clock (so it needs no leader, and more writers only make the
//! row more recent), and then reads that row on each replica. A replica whose row is older than
//! `limits.replica_lag_s` and the second between two beats is passed over until it has caught up;
//! so is one that does not answer, at once when a read fails and until it answers again.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::conn::Conn;
use super::dialect::Dialect;
use super::error::StoreError;
use super::metrics::{Metrics, ReplicaMetrics, Role, WriterRead};
use super::mysql;
use config::DatabaseConfig;

/// The time between two beats, which a replica without any lag may be behind.
const BEAT_MS: i64 = 1000;

/// The replicas of one writable database.
#[derive(Debug)]
pub(super) struct Replicas {
    all: Vec<Replica>,
    turn: AtomicUsize,
    bound_ms: i64,
}

#[derive(Debug)]
struct Replica {
    conn: Conn,
    place: String,
    /// It answered last, but was behind.
    lags: AtomicBool,
    /// The newest beat that was seen on it; 0: none yet.
    seen_ms: AtomicI64,
    metrics: ReplicaMetrics,
}

impl Replicas {
    /// `bound_s`: how many seconds a replica may lag.
    pub(super) fn new(
        entries: &[&DatabaseConfig],
        bound_s: u64,
        metrics: &Metrics,
    ) -> Result<Self, StoreError> {
        let all: Result<Vec<_>, StoreError> =
            entries.iter().map(|entry| Replica::new(entry, metrics)).collect();
        let bound_ms = i64::try_from(bound_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        Ok(Self { all: all?, turn: AtomicUsize::new(0), bound_ms })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The next healthy replica in turn.
    pub(super) fn next(&self) -> Option<&Conn> {
        let count = self.all.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let (before, from) = self.all.split_at_checked(first.checked_rem(count)?)?;
        from.iter().chain(before).map(|replica| &replica.conn).find(|conn| conn.is_healthy())
    }

    /// Why there is no healthy one.
    pub(super) fn trouble(&self) -> WriterRead {
        let lags = self.all.iter().any(|replica| replica.lags.load(Ordering::Relaxed));
        if lags { WriterRead::ReplicaLags } else { WriterRead::ReplicaDown }
    }

    /// Beats once and sorts the replicas into healthy and not.
    pub(super) async fn measure(&self, writer: &Conn) {
        if self.all.is_empty() {
            return;
        }
        let now = write_heartbeat(writer).await;
        join_all(self.all.iter().map(|replica| self.judge(replica, &now))).await;
    }

    async fn judge(&self, replica: &Replica, now: &Result<i64, DbErr>) {
        replica.conn.pool().trim();
        let seen = last_beat(&replica.conn).await;
        let healthy = match (&seen, now) {
            (Ok(Some(seen)), Ok(now)) => now.saturating_sub(*seen) <= self.bound_ms.saturating_add(BEAT_MS),
            // The lag cannot be measured while the writable database is away; nothing is written
            // meanwhile, so a replica that answers stays what it was.
            (Ok(Some(_)), Err(_)) => replica.conn.is_healthy(),
            (Ok(None) | Err(_), _) => false,
        };
        replica.note(&seen, now, healthy);
        if replica.conn.set_health(healthy) != healthy {
            if healthy {
                tracing::info!(replica = %replica.place, "reading from the replica again");
            } else {
                tracing::warn!(replica = %replica.place, ?seen, ?now, "replica down or behind, passed over");
            }
        }
    }

    pub(super) async fn close(&self) {
        for replica in &self.all {
            replica.conn.pool().close().await;
        }
    }
}

impl Replica {
    fn new(entry: &DatabaseConfig, metrics: &Metrics) -> Result<Self, StoreError> {
        let place = mysql::place(entry);
        Ok(Self {
            conn: mysql::conn(entry, metrics.pool(&place, Role::Replica))?.with_health(),
            metrics: metrics.replica(&place),
            place,
            lags: AtomicBool::new(false),
            seen_ms: AtomicI64::new(0),
        })
    }

    /// Remembers and shows what was found.
    fn note(&self, seen: &Result<Option<i64>, DbErr>, now: &Result<i64, DbErr>, healthy: bool) {
        if let Ok(Some(seen)) = seen {
            self.seen_ms.store(*seen, Ordering::Relaxed);
        }
        self.lags.store(seen.is_ok() && !healthy, Ordering::Relaxed);
        self.metrics.usable.set(healthy.into());
        let newest = self.seen_ms.load(Ordering::Relaxed);
        if let Ok(now) = now
            && newest > 0
        {
            let behind = u32::try_from((now - newest).max(0)).unwrap_or(u32::MAX);
            self.metrics.lag.set(f64::from(behind) / 1000.0);
        }
    }
}

/// Writes the time into the row and returns it.
async fn write_heartbeat(writer: &Conn) -> Result<i64, DbErr> {
    let clock = Dialect::MySql.now_ms_sql();
    let backend = Dialect::MySql.backend();
    let write = format!(
        "INSERT INTO replica_heartbeat (id, beat_ms) VALUES (1, {clock}) \
         ON DUPLICATE KEY UPDATE beat_ms = GREATEST(beat_ms, VALUES(beat_ms))"
    );
    writer.execute_raw(Statement::from_string(backend, write)).await?;
    let read = Statement::from_string(backend, format!("SELECT {clock} AS now_ms"));
    let row = writer.query_one_raw(read).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the database's clock".into()))?.try_get("", "now_ms")
}

/// The last beat that has arrived at a replica.
async fn last_beat(copy: &Conn) -> Result<Option<i64>, DbErr> {
    let read = "SELECT beat_ms FROM replica_heartbeat WHERE id = 1";
    let row = copy.query_one_raw(Statement::from_string(Dialect::MySql.backend(), read)).await?;
    row.map(|row| row.try_get("", "beat_ms")).transpose()
}
