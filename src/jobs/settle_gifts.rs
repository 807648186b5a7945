//! Asks the payment service again about gifts whose outcome is unknown.
//!
//! Each ask is a task of its own, and whichever slot becomes free is used again: a call that hangs costs
//! its own slot alone, for as long as `gift.timeout_s`. A run does not wait for it either; the next one
//! goes on beside it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntGaugeVec, Opts, Registry};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::lease::LeaderLease;
use super::on_leader::OnLeader;
use super::schedule::Job;
use crate::gift::{GiftStatus, Gifts};
use common::request_id::RequestId;
use common::supervise;
use telemetry::context;

/// Gifts asked about at once.
const AT_ONCE: usize = 32;
/// From one claim to the next: the slots that become free meanwhile are filled with one claim.
const PACE: Duration = Duration::from_millis(50);

/// The job.
pub struct SettleGifts {
    gifts: Gifts,
    lease: Arc<LeaderLease>,
    every: Duration,
    open: IntGaugeVec,
    /// The asks under way.
    asks: JoinSet<GiftStatus>,
}

impl SettleGifts {
    /// The job, run so often. Registers `liveloom_gifts_open{state}`: gifts without an outcome that are
    /// asked about again (`waiting`), and those for an operator (`given_up`): also the ones whose time is
    /// over and whose last ask is late.
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
        registry.register(Box::new(OnLeader { metrics: open.clone(), lease: Arc::clone(&lease) }))?;
        Ok(Self { gifts, lease, every, open, asks: JoinSet::new() })
    }

    /// Shows how many gifts are open; how many of them are asked about again.
    async fn count(&self) -> anyhow::Result<i64> {
        let open = self.gifts.ledger().count_open().await?;
        self.open.with_label_values(&["waiting"]).set(open.waiting);
        self.open.with_label_values(&["given_up"]).set(open.given_up);
        Ok(open.scheduled)
    }

    /// Keeps the slots filled until no gift is due and all have been asked about, or the time of a run
    /// is over; how many have their outcome now.
    async fn settle(&mut self) -> anyhow::Result<u64> {
        let end = Instant::now() + self.every;
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut settled, mut is_more_due) = (0, true);
        while is_more_due || !self.asks.is_empty() {
            tokio::select! {
                Some(ended) = self.asks.join_next() => settled += u64::from(is_settled(ended)),
                _ = pace.tick(), if is_more_due && self.asks.len() < AT_ONCE => is_more_due = self.claim().await?,
                // The end of the process waits for a run, so that it must have one.
                () = sleep_until(end) => break,
            }
        }
        Ok(settled)
    }

    /// Fills the free slots; whether more may be due.
    async fn claim(&mut self) -> anyhow::Result<bool> {
        let free = AT_ONCE.saturating_sub(self.asks.len());
        let claims = self.gifts.ledger().claim_due(self.lease.as_ref(), u64::try_from(free)?).await?;
        let is_more_due = claims.len() == free;
        for claim in claims {
            let (gifts, lease) = (self.gifts.clone(), Arc::clone(&self.lease));
            self.asks.spawn(async move {
                context::within(RequestId::generate().shared(), gifts.settle(claim, lease.as_ref())).await
            });
        }
        Ok(is_more_due)
    }
}

fn is_settled(ended: Result<GiftStatus, JoinError>) -> bool {
    match ended {
        Ok(status) => status != GiftStatus::Waiting,
        Err(error) => {
            tracing::error!(%error, "an ask about a gift was cut off; it is made again after its lease");
            if let Ok(payload) = error.try_into_panic() {
                supervise::note_panic("settle_gifts", payload.as_ref());
            }
            false
        }
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
        let settled = self.settle().await?;
        self.count().await?;
        Ok(settled)
    }

    /// Lets the calls under way end, which takes as long as `gift.timeout_s` at most.
    async fn finish(&mut self) {
        while self.asks.join_next().await.is_some() {}
    }
}
