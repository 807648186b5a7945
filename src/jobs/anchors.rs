//! Ends lives whose anchor's heartbeat timed out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::lease::LeaderLease;
use super::presence::Watch;
use super::schedule::Job;
use crate::live::Lives;

/// The job.
pub struct TimedOutAnchors {
    /// The rooms.
    pub lives: Lives,
    /// Who leads.
    pub lease: Arc<LeaderLease>,
    /// Whether missing heartbeats count.
    pub watch: Arc<Watch>,
    /// How long an anchor may send no heartbeat.
    pub timeout: Duration,
}

#[async_trait]
impl Job for TimedOutAnchors {
    fn name(&self) -> &'static str {
        "silent_anchors"
    }

    fn every(&self) -> Duration {
        super::presence::reap_every(self.timeout)
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        let Self { lives, lease, watch, timeout } = self;
        watch.reap(|| lives.end_timed_out(lease.as_ref(), *timeout)).await
    }
}
