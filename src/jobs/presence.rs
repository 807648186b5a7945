//! Keeps presence in the cache and the rows of the tables together, and says when silence counts.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::lease::LeaderLease;
use super::schedule::Job;
use crate::live;
use crate::live::Lives;
use crate::live::silence::Swept;
use crate::store::cache::Cache;
use crate::store::db::Db;
use crate::store::registry;

/// From one sweep for the silent to the next, at most.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A sweep every second, or, for the short time-outs of tests, four in a time-out.
pub(super) fn sweep_every(timeout: Duration) -> Duration {
    SWEEP_EVERY.min(timeout / 4).max(Duration::from_millis(50))
}

/// Whether silence counts: only while all nodes could store heartbeats.
///
/// After a take-over, an outage of the cache seen by any node, or a loss of its contents, the
/// watch begins anew, and the cache itself then lets a full time-out pass before it names anybody.
pub struct Watch {
    cache: Cache,
    db: Db,
    lives: Lives,
    lease: Arc<LeaderLease>,
    state: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The leadership in which the watch was begun.
    leading_since: Option<Instant>,
    /// The newest failure to store a heartbeat that was taken into account, by its time in ms.
    failed_ms: i64,
    /// A sweep failed, so heartbeats may have, too.
    is_stale: bool,
}

impl Watch {
    /// A watch over the presence in `cache`.
    #[must_use]
    pub fn new(cache: Cache, db: Db, lives: Lives, lease: Arc<LeaderLease>) -> Self {
        Self { cache, db, lives, lease, state: Mutex::default() }
    }

    /// Runs a sweep if silence counts; else begins the watch anew.
    pub(super) async fn sweep<F>(&self, sweep: impl FnOnce() -> F) -> anyhow::Result<u64>
    where
        F: Future<Output = Result<Swept, live::Error>>,
    {
        if !self.is_current().await? {
            return Ok(0);
        }
        match sweep().await {
            Ok(Swept::Removed(count)) => Ok(count),
            Ok(Swept::Lost) => {
                tracing::warn!("the cache lost the presence of users; it is restored from the database");
                self.lives.restore_presence(None).await?;
                self.cache.begin_watch().await?;
                Ok(0)
            }
            Err(error) => {
                self.state.lock().await.is_stale |= matches!(error, live::Error::Cache(_));
                Err(error.into())
            }
        }
    }

    async fn is_current(&self) -> anyhow::Result<bool> {
        // One node's failed heartbeats are enough: its viewers would look silent.
        let nodes = registry::alive_nodes(&self.db).await?;
        let theirs = nodes.iter().filter_map(|node| node.cache_failed_ms).max().unwrap_or_default();
        let own = self.cache.failed_at().map_or(0, |at| at.timestamp_millis());
        let failed_ms = theirs.max(own);

        let mut seen = self.state.lock().await;
        let leading_since = self.lease.leading_since();
        if !seen.is_stale && failed_ms <= seen.failed_ms && leading_since == seen.leading_since {
            return Ok(true);
        }
        self.cache.begin_watch().await?;
        *seen = Seen { leading_since, failed_ms: failed_ms.max(seen.failed_ms), is_stale: false };
        Ok(false)
    }
}

/// Writes from the cache to the rows who was heard, in batches.
pub struct WriteHeard {
    lives: Lives,
    lease: Arc<LeaderLease>,
    /// Per shard, up to when it is written, by the cache's clock in ms.
    written_ms: Vec<i64>,
}

impl WriteHeard {
    /// The job, for a cache of so many shards.
    #[must_use]
    pub fn new(lives: Lives, lease: Arc<LeaderLease>, shards: u16) -> Self {
        Self { lives, lease, written_ms: vec![0; usize::from(shards)] }
    }
}

/// How often [`WriteHeard`] runs.
const WRITE_EVERY: Duration = Duration::from_secs(30);

#[async_trait]
impl Job for WriteHeard {
    fn name(&self) -> &'static str {
        "write_heard"
    }

    fn every(&self) -> Duration {
        WRITE_EVERY
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        for (shard, written_ms) in (0..).zip(&mut self.written_ms) {
            *written_ms = self.lives.write_heard(self.lease.as_ref(), shard, *written_ms).await?;
        }
        Ok(0)
    }
}

/// Finds rows that say `in` though the cache does not know of it, as a crash between the two
/// leaves them.
pub struct RestorePresence {
    /// The rooms.
    pub lives: Lives,
}

/// Rows written longer ago than this have missed two runs of [`WriteHeard`].
const UNWRITTEN: Duration = Duration::from_secs(90);

#[async_trait]
impl Job for RestorePresence {
    fn name(&self) -> &'static str {
        "restore_presence"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        Ok(self.lives.restore_presence(Some(UNWRITTEN)).await?)
    }
}
