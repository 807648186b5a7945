//! An attempt with all that surrounds it: the breaker, the metrics, the log.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::breaker::{Breaker, Health};
use super::metrics::Metrics;
use super::webhook_client::{Failed, Sender, WebhookRequest};
use crate::event::consumer::Capacity;

/// How an attempt went.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The receiver took it.
    Delivered,
    /// It failed, and that counts.
    Failed(Failed),
    /// It was not made, was cut off, or does not count because the receiver is down.
    Held,
}

/// Delivers to the one receiver, from partitions and from the retry queue.
pub(super) struct Deliverer {
    sender: Sender,
    breaker: Breaker,
    metrics: Metrics,
    /// Attempts for an event, at most.
    pub(super) max_attempts: u32,
}

impl Deliverer {
    pub(super) fn new(sender: Sender, metrics: Metrics, max_attempts: u32) -> Self {
        let breaker = Breaker::new(sender.timeout());
        Self { sender, breaker, metrics, max_attempts }
    }

    /// How long an attempt takes at most.
    pub(super) fn timeout(&self) -> Duration {
        self.sender.timeout()
    }

    /// How many attempts may be begun now.
    pub(super) fn capacity(&self) -> Capacity {
        match self.breaker.pause(Instant::now()) {
            None => Capacity::Free,
            Some(Duration::ZERO) => Capacity::One,
            // Looked at often, since the other side may have found the receiver back.
            Some(pause) => Capacity::None(pause.min(Duration::from_millis(200))),
        }
    }

    /// Makes an attempt, unless the receiver is down; gives it up when `abort` is cancelled.
    pub(super) async fn attempt(
        &self,
        live_id: &str,
        post: &WebhookRequest,
        abort: &CancellationToken,
    ) -> Attempt {
        if !self.breaker.enter(Instant::now()) {
            return Attempt::Held;
        }
        let started = Instant::now();
        let Some(answer) = abort.run_until_cancelled(self.sender.post(post)).await else {
            return Attempt::Held;
        };
        let (label, health, retry_after) = match &answer {
            Ok(()) => ("ok", Health::Up, None),
            Err(failed) => (failed.reason.label(), failed.reason.health(), failed.retry_after),
        };
        self.metrics.attempted(label, started.elapsed());
        let counts = self.breaker.saw(live_id, health, retry_after, Instant::now());
        self.metrics.breaker.set(i64::from(self.breaker.pause(Instant::now()).is_some()));
        match answer {
            Ok(()) => Attempt::Delivered,
            Err(Failed { reason, .. }) if !counts => {
                tracing::debug!(webhook_id = post.webhook_id, %reason, "a callback found the receiver down");
                Attempt::Held
            }
            Err(failed) => {
                tracing::info!(webhook_id = post.webhook_id, reason = %failed.reason, "a callback failed");
                Attempt::Failed(failed)
            }
        }
    }
}
