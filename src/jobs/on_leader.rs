//! Metrics that the leader alone tells.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::lease::LeaderLease;

/// Shows metrics on the leader alone: what a former leader counted last is out of date.
pub(super) struct OnLeader<C> {
    /// The metrics.
    pub(super) metrics: C,
    /// Says who leads.
    pub(super) lease: Arc<LeaderLease>,
}

impl<C: Collector> Collector for OnLeader<C> {
    fn desc(&self) -> Vec<&Desc> {
        self.metrics.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if self.lease.is_leader() { self.metrics.collect() } else { Vec::new() }
    }
}
