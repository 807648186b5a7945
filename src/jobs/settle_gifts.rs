//! Asks the payment service again about gifts whose outcome is unknown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::join_all;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGaugeVec, Opts, Registry};

use super::lease::LeaderLease;
use super::schedule::Job;
use crate::gift::{GiftStatus, Gifts};
use crate::rest::request_id::RequestId;

/// Gifts asked about at once.
const AT_ONCE: u64 = 32;

/// The job.
pub struct SettleGifts {
    gifts: Gifts,
    lease: Arc<LeaderLease>,
    every: Duration,
    open: IntGaugeVec,
}

/// Shows a gauge on the leader alone: what a former leader counted last is out of date.
struct OnLeader {
    gauge: IntGaugeVec,
    lease: Arc<LeaderLease>,
}

impl Collector for OnLeader {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if self.lease.is_leader() { self.gauge.collect() } else { Vec::new() }
    }
}

impl SettleGifts {
    /// The job, run so often. Registers `liveloom_gifts_open{state}`: gifts without an outcome that are
    /// asked about again (`waiting`), and that wait for an operator (`given_up`).
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn new(
        gifts: Gifts,
        lease: Arc<LeaderLease>,
        every: Duration,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let help = "Gifts without an outcome: asked about again (waiting), left to an operator (given_up).";
        let open = IntGaugeVec::new(Opts::new("liveloom_gifts_open", help), &["state"])?;
        registry.register(Box::new(OnLeader { gauge: open.clone(), lease: Arc::clone(&lease) }))?;
        Ok(Self { gifts, lease, every, open })
    }

    /// How many gifts are asked about again.
    async fn count(&self) -> anyhow::Result<i64> {
        let open = self.gifts.ledger().count_open().await?;
        self.open.with_label_values(&["waiting"]).set(open.scheduled);
        self.open.with_label_values(&["given_up"]).set(open.given_up);
        Ok(open.scheduled)
    }

    /// Asks about a batch, all at once; how many it was, and how many have their outcome now.
    async fn settle(&self) -> anyhow::Result<(usize, u64)> {
        let claims = self.gifts.ledger().claim_due(self.lease.as_ref(), AT_ONCE).await?;
        let claimed = claims.len();
        let asked = claims.into_iter().map(|claim| {
            let request_id = RequestId::generate();
            async move { self.gifts.settle(claim, request_id.as_str(), self.lease.as_ref()).await }
        });
        let outcomes = join_all(asked).await;
        let settled = outcomes.into_iter().filter(|&status| status != GiftStatus::Waiting).count();
        Ok((claimed, u64::try_from(settled)?))
    }
}

#[async_trait]
impl Job for SettleGifts {
    fn name(&self) -> &'static str {
        "settle_gifts"
    }

    fn every(&self) -> Duration {
        self.every
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        // Mostly there is nothing, and then nothing is locked.
        if self.count().await? == 0 {
            return Ok(0);
        }
        let started = Instant::now();
        let mut settled = 0;
        // The end of the process waits for a run, so that it must have one.
        while started.elapsed() < self.every {
            let (claimed, ended) = self.settle().await?;
            settled += ended;
            if u64::try_from(claimed)? < AT_ONCE {
                break;
            }
        }
        self.count().await?;
        Ok(settled)
    }
}
