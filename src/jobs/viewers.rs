//! Evicts viewers whose heartbeat timed out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::lease::LeaderLease;
use super::presence::Watch;
use super::schedule::Job;
use crate::live::Lives;

/// The job.
pub struct TimedOutViewers {
    /// The rooms.
    pub lives: Lives,
    /// Who leads.
    pub lease: Arc<LeaderLease>,
    /// Whether missing heartbeats count.
    pub watch: Arc<Watch>,
    /// How long a viewer may send no heartbeat.
    pub timeout: Duration,
}

#[async_trait]
impl Job for TimedOutViewers {
    fn name(&self) -> &'static str {
        "silent_viewers"
    }

    fn every(&self) -> Duration {
        super::presence::reap_every(self.timeout)
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        let Self { lives, lease, watch, timeout } = self;
        watch.reap(|| lives.evict_timed_out(lease.as_ref(), *timeout)).await
    }
}
