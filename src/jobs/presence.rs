//! Keeps presence in the cache and the rows of the tables together, and says when missing heartbeats count.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::lease::LeaderLease;
use super::schedule::Job;
use crate::live;
use crate::live::Lives;
use crate::live::heartbeat_timeout::Evicted;
use store::cache::Cache;
use store::db::Db;
use store::registry;

/// From one reap of those who timed out to the next, at most.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A reap every second, or, for the short time-outs of tests, four in a time-out.
pub(super) fn reap_every(timeout: Duration) -> Duration {
    SWEEP_EVERY.min(timeout / 4).max(Duration::from_millis(50))
}

/// Whether missing heartbeats count: only while all nodes could store heartbeats.
///
/// After a take-over, an outage of the cache seen by any node, or a loss of its contents, the
/// watch begins anew, and the cache itself then lets a full time-out pass before it names anybody. It
/// begins only once a cache that has lost its contents, or is new, has presence again.
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
    /// The failures to store a heartbeat that were taken into account: the last of each node, by that
    /// node's clock in ms. Only equal or not: two clocks are not compared, and one may be set back.
    failed_ms: HashMap<i32, i64>,
    /// The last failure of this process, likewise.
    own_failed_ms: i64,
    /// A reap failed, so heartbeats may have, too.
    is_stale: bool,
}

impl Watch {
    /// A watch over the presence in `cache`.
    #[must_use]
    pub fn new(cache: Cache, db: Db, lives: Lives, lease: Arc<LeaderLease>) -> Self {
        Self { cache, db, lives, lease, state: Mutex::default() }
    }

    /// Reaps if missing heartbeats count; else begins the watch anew.
    pub(super) async fn reap<F>(&self, sweep: impl FnOnce() -> F) -> anyhow::Result<u64>
    where
        F: Future<Output = Result<Evicted, live::Error>>,
    {
        if !self.is_current().await? {
            return Ok(0);
        }
        match sweep().await {
            Ok(Evicted::Removed(count)) => Ok(count),
            Ok(Evicted::Lost) => {
                self.begin_watch().await?;
                Ok(0)
            }
            Err(error) => {
                self.state.lock().await.is_stale |= matches!(error, live::Error::Cache(_));
                Err(error.into())
            }
        }
    }

    async fn is_current(&self) -> anyhow::Result<bool> {
        // One node's failed heartbeats are enough: its viewers would look timed out.
        let nodes = registry::alive_nodes(&self.db).await?;
        let failed_ms: HashMap<i32, i64> =
            nodes.iter().filter_map(|node| Some((node.node_id, node.cache_failed_ms?))).collect();
        let own_failed_ms = self.cache.failed_at().map_or(0, |at| at.timestamp_millis());

        let mut seen = self.state.lock().await;
        let leading_since = self.lease.leading_since();
        let is_known = |(node, failed): (&i32, &i64)| seen.failed_ms.get(node) == Some(failed);
        let is_current = !seen.is_stale
            && leading_since == seen.leading_since
            && own_failed_ms == seen.own_failed_ms
            && failed_ms.iter().all(is_known);
        if is_current {
            return Ok(true);
        }
        self.begin_watch().await?;
        seen.leading_since = leading_since;
        seen.failed_ms.extend(failed_ms);
        seen.own_failed_ms = own_failed_ms;
        seen.is_stale = false;
        Ok(false)
    }

    /// Missing heartbeats count from now on. A cache without presence gets it back before that: a watch that has begun
    /// would hide that it was lost.
    async fn begin_watch(&self) -> anyhow::Result<()> {
        if !self.cache.is_watched().await? {
            let restored = self.lives.restore_presence(None).await?;
            if restored > 0 {
                tracing::warn!(restored, "the cache held no presence; it is restored from the database");
            }
        }
        Ok(self.cache.begin_watch().await?)
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

    /// Whoever reads the rows next, be it with an empty cache or a QNLiveKit_Server, finds who was there until
    /// the end.
    async fn finish(&mut self) {
        if self.lease.is_leader()
            && let Err(error) = self.run().await
        {
            tracing::warn!(
                error = format!("{error:#}"),
                "the last heartbeats could not be written to the rows"
            );
        }
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
