//! The retry queue: delivers callbacks that left their partitions, each when its time has come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::deliverer::{Attempt, Deliverer};
use super::queries::{self, Claimed, Ended};
use super::schedule::{self, Next};
use super::service::State;
use super::webhook_client::WebhookRequest;
use crate::event::consumer::Capacity;
use common::clock::SharedClock;
use common::{crash, supervise};
use store::db::{Db, StoreError};
use telemetry::context;
use telemetry::span::Span;

/// Rows of one claim, whose attempts are made side by side.
const BATCH: usize = 32;
/// From one look for due rows to the next.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a failure to reach the database.
const AFTER_FAILURE: Duration = Duration::from_millis(250);
/// The rest of a row for which the receiver was found down.
const AFTER_PROBE: Duration = Duration::from_secs(2);
/// The rest of a row that made us panic.
const AFTER_PANIC: Duration = Duration::from_secs(60);
/// The name of its panics.
pub(super) const TASK: &str = "single callbacks";
/// What a lease lasts beyond one attempt.
const RESERVE: Duration = Duration::from_secs(10);
/// How long attempts under way may go on after a stop.
const LAST_WORK: Duration = Duration::from_secs(6);

/// Delivers from the retry queue.
pub(super) struct RetryDelivery {
    pub(super) db: Db,
    pub(super) clock: SharedClock,
    pub(super) deliverer: Arc<Deliverer>,
    pub(super) node_id: u16,
}

impl RetryDelivery {
    /// Delivers until `stop`.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let abort = CancellationToken::new();
        while !stop.is_cancelled() {
            let pause = match self.deliverer.capacity() {
                Capacity::None(pause) => pause,
                capacity => {
                    let limit = if capacity == Capacity::One { 1 } else { BATCH };
                    let mut round = Box::pin(self.round(limit, &abort));
                    let ended = match stop.run_until_cancelled(&mut round).await {
                        Some(ended) => ended,
                        None => match timeout(LAST_WORK, &mut round).await {
                            Ok(ended) => ended,
                            Err(_) => {
                                abort.cancel();
                                round.await
                            }
                        },
                    };
                    pause_after(ended)
                }
            };
            stop.run_until_cancelled(sleep(pause)).await;
        }
    }

    /// Claims, delivers and records; answers how many rows were claimed.
    async fn round(&self, limit: usize, abort: &CancellationToken) -> Result<usize, StoreError> {
        if !queries::is_any_due(&self.db).await? {
            return Ok(0);
        }
        let owner = format!("{}-{:016x}", self.node_id, rand::random::<u64>());
        let lease = self.deliverer.timeout() + RESERVE;
        let until = Instant::now() + lease;
        let claimed = queries::claim(&self.db, &owner, limit, lease).await?;
        crash::point("callback.retry_claimed");
        let count = claimed.len();
        let attempts = stream::iter(claimed).map(|row| {
            let (request_id, given_up) = (row.request_id(), after_panic(&row));
            let span = Span::consumer("callback", None);
            let attempt = context::within_span(
                request_id.as_str().into(),
                span.as_parent(),
                self.attempt(row, request_id, span, abort),
            );
            supervise::catch(TASK, attempt).map(|ended| ended.unwrap_or(given_up))
        });
        let ended: Vec<Ended> = attempts.buffer_unordered(BATCH).collect().await;
        let mut recorded = self.record(&owner, &ended).await;
        // Unrecorded, they are delivered again after the lease.
        while recorded.is_err() && !abort.is_cancelled() && Instant::now() < until {
            sleep(AFTER_FAILURE).await;
            recorded = self.record(&owner, &ended).await;
        }
        recorded?;
        crash::point("callback.retry_recorded");
        Ok(count)
    }

    /// Records how attempts ended. One that can never be recorded costs only itself: it is delivered again after
    /// the lease.
    async fn record(&self, owner: &str, ended: &[Ended]) -> Result<(), StoreError> {
        match queries::finish(&self.db, owner, ended, self.clock.now()).await {
            Err(error) if !error.is_passing() => {}
            recorded => return recorded,
        }
        for one in ended {
            match queries::finish(&self.db, owner, std::slice::from_ref(one), self.clock.now()).await {
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => tracing::error!(%error, one.id, "what became of a callback cannot be stored"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        row: Claimed,
        request_id: String,
        _span: Span,
        abort: &CancellationToken,
    ) -> Ended {
        let Claimed { id, webhook_id, live_id, seq, body, attempts, .. } = row;
        let post = WebhookRequest { webhook_id, seq, request_id, body };
        let ended = |state, attempts, pause, last_error| Ended { id, state, attempts, pause, last_error };
        let answer = self.deliverer.attempt(&live_id, &post, abort).await;
        crash::point("callback.retry_posted");
        match answer {
            Attempt::Delivered => ended(State::Delivered, attempts.saturating_add(1), None, String::new()),
            Attempt::Held => {
                let reason = "the receiver was down, and the attempt does not count".to_owned();
                ended(State::Pending, attempts, Some(AFTER_PROBE), reason)
            }
            Attempt::Failed(failed) => {
                let attempts = attempts.saturating_add(1);
                let reason = failed.reason.to_string();
                match schedule::after(attempts.unsigned_abs(), self.deliverer.max_attempts, &failed) {
                    Next::Again(pause) | Next::Alone(pause) => {
                        ended(State::Pending, attempts, Some(pause), reason)
                    }
                    Next::Ended => ended(State::Failed, attempts, None, reason),
                }
            }
        }
    }
}

/// What becomes of a row whose attempt panics: nothing is given up.
fn after_panic(row: &Claimed) -> Ended {
    let (id, attempts) = (row.id, row.attempts.saturating_add(1));
    let last_error = "this server failed, see its log".to_owned();
    Ended { id, state: State::Pending, attempts, pause: Some(AFTER_PANIC), last_error }
}

fn pause_after(round: Result<usize, StoreError>) -> Duration {
    match round {
        Ok(0) => POLL,
        Ok(_) => Duration::ZERO,
        Err(error) => {
            tracing::debug!(%error, "single callbacks wait for the database");
            AFTER_FAILURE
        }
    }
}
