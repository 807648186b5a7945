//! The consumer of events that runs the reactions.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::IntCounterVec;
use tokio::time::timeout;

use super::{REACTION_LIMIT, Reaction, ReactionError};
use crate::crash;
use crate::event::StoredEvent;
use crate::event::consumer::{Consumer, Progress, Work};
use crate::store::db::{StoreError, Tx};

/// The rest of a lane after its first failure; it doubles with each further one.
const FIRST_REST: Duration = Duration::from_millis(200);
/// Doublings at most: about 13 s.
const DOUBLINGS: u32 = 6;

/// Runs reactions.
pub(super) struct LaneReactions {
    pub(super) reactions: Vec<Arc<dyn Reaction>>,
    pub(super) failures: IntCounterVec,
}

#[async_trait]
impl Consumer for LaneReactions {
    type Aside = Infallible;

    fn steps(&self) -> (&'static str, &'static str) {
        ("reactions.claimed", "reactions.recorded")
    }

    async fn handle(&self, work: Work) -> Progress<Infallible> {
        let (mut done, mut attempts) = (work.claim.done, work.claim.attempts);
        for event in &work.events {
            // A whole one may not fit any more, but most take milliseconds.
            if !work.has_time(REACTION_LIMIT) {
                return Progress { finished: work.finished(done, attempts, Duration::ZERO), aside: vec![] };
            }
            if self.react(event).await.is_err() {
                let doublings = attempts.unsigned_abs().min(DOUBLINGS);
                let rest = FIRST_REST * 2_u32.pow(doublings);
                let finished = work.finished(done, attempts.saturating_add(1), rest);
                return Progress { finished, aside: vec![] };
            }
            crash::point("reactions.reacted");
            (done, attempts) = (event.seq, 0);
        }
        Progress { finished: work.finished(work.last, 0, Duration::ZERO), aside: vec![] }
    }

    async fn keep(&self, _: &Tx<'_>, _: &[&Infallible]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The event has to be tried again.
struct Again;

impl LaneReactions {
    async fn react(&self, event: &StoredEvent) -> Result<(), Again> {
        for reaction in &self.reactions {
            let reacted = timeout(REACTION_LIMIT, reaction.react(event)).await;
            let error = match reacted {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(_) => ReactionError::Unavailable("it took too long".to_owned()),
            };
            let is_retried = matches!(error, ReactionError::Unavailable(_));
            let result = if is_retried { "retried" } else { "failed" };
            self.failures.with_label_values(&[reaction.name(), result]).inc();
            let StoredEvent { live_id, seq, kind, .. } = event;
            tracing::warn!(%error, reaction = reaction.name(), live_id, seq, kind, "a reaction failed");
            if is_retried {
                return Err(Again);
            }
        }
        Ok(())
    }
}
