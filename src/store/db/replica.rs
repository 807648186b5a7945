//! Read-only copies: which of them are up and recent enough to read from.
//!
//! Every node that has copies writes the time into the one row of `replica_heartbeat` once a
//! second, by the writable database's clock (so it needs no leader, and more writers only make the
//! row more recent), and then reads that row on each copy. A copy whose row is older than
//! `limits.replica_lag_s` and the second between two beats is passed over until it has caught up;
//! so is one that does not answer, at once when a read fails and until it answers again.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::conn::Conn;
use super::dialect::Dialect;
use super::error::StoreError;
use super::mysql;
use crate::config::DatabaseConfig;

/// The time between two beats, which a copy without any lag may be behind.
const BEAT_MS: i64 = 1000;

/// The copies of one writable database.
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
}

impl Replicas {
    /// `bound_s`: how many seconds a copy may lag.
    pub(super) fn new(entries: &[&DatabaseConfig], bound_s: u64) -> Result<Self, StoreError> {
        let all: Result<Vec<_>, StoreError> = entries
            .iter()
            .map(|entry| Ok(Replica { conn: mysql::conn(entry)?.with_health(), place: mysql::place(entry) }))
            .collect();
        let bound_ms = i64::try_from(bound_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        Ok(Self { all: all?, turn: AtomicUsize::new(0), bound_ms })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The next healthy copy in turn.
    pub(super) fn next(&self) -> Option<&Conn> {
        let count = self.all.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let (before, from) = self.all.split_at_checked(first.checked_rem(count)?)?;
        from.iter().chain(before).map(|replica| &replica.conn).find(|conn| conn.is_healthy())
    }

    /// Beats once and sorts the copies into healthy and not.
    pub(super) async fn measure(&self, writer: &Conn) {
        if self.all.is_empty() {
            return;
        }
        let now = beat(writer).await;
        join_all(self.all.iter().map(|replica| self.judge(replica, &now))).await;
    }

    async fn judge(&self, replica: &Replica, now: &Result<i64, DbErr>) {
        replica.conn.pool().trim();
        let seen = last_beat(&replica.conn).await;
        let healthy = match (&seen, now) {
            (Ok(Some(seen)), Ok(now)) => now.saturating_sub(*seen) <= self.bound_ms.saturating_add(BEAT_MS),
            // The lag cannot be measured while the writable database is away; nothing is written
            // meanwhile, so a copy that answers stays what it was.
            (Ok(Some(_)), Err(_)) => replica.conn.is_healthy(),
            (Ok(None) | Err(_), _) => false,
        };
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

/// Writes the time into the row and returns it.
async fn beat(writer: &Conn) -> Result<i64, DbErr> {
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

/// The last beat that has arrived at a copy.
async fn last_beat(copy: &Conn) -> Result<Option<i64>, DbErr> {
    let read = "SELECT beat_ms FROM replica_heartbeat WHERE id = 1";
    let row = copy.query_one_raw(Statement::from_string(Dialect::MySql.backend(), read)).await?;
    row.map(|row| row.try_get("", "beat_ms")).transpose()
}
