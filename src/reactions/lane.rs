//! The consumer of events that runs the reactions.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::IntCounterVec;
use tokio::time::timeout;

use super::{REACTION_LIMIT, Reaction, ReactionError};
use crate::event::StoredEvent;
use crate::event::consumer::{Consumer, Progress, Work};
use common::{crash, supervise};
use store::db::{StoreError, Tx};

/// The rest of a lane after its first failure; it doubles with each further one.
const FIRST_REST: Duration = Duration::from_millis(200);
/// Doublings at most: about 13 s.
const DOUBLINGS: u32 = 6;

/// Tries after which a reaction that always takes too long counts as failed.
const TIME_OUTS: i32 = 10;

/// Runs reactions.
pub(super) struct LaneReactions {
    pub(super) reactions: Vec<Arc<dyn Reaction>>,
    pub(super) failures: IntCounterVec,
    /// By room and event, which reaction has to be tried again; forgotten when the process ends.
    pub(super) stopped: moka::sync::Cache<(String, i64), usize>,
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
            if event.is_too_new(attempts) {
                let finished = work.finished(done, attempts.saturating_add(1), StoredEvent::REST);
                return Progress { finished, aside: vec![] };
            }
            if event.within("reactions", self.react(event, attempts)).await.is_err() {
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
    async fn react(&self, event: &StoredEvent, attempts: i32) -> Result<(), Again> {
        let first = if attempts == 0 { 0 } else { self.resume(event) };
        for (place, reaction) in self.reactions.iter().enumerate().skip(first) {
            let reacting = timeout(REACTION_LIMIT, reaction.react(event));
            let error = match supervise::catch(reaction.name(), reacting).await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(error))) => error,
                Err(panicked) => ReactionError::Failed(panicked.to_string()),
                Ok(Err(_)) if attempts < TIME_OUTS => {
                    ReactionError::Unavailable("it took too long".to_owned())
                }
                Ok(Err(_)) => ReactionError::Failed("it took too long, again and again".to_owned()),
            };
            let is_retried = matches!(error, ReactionError::Unavailable(_));
            let result = if is_retried { "retried" } else { "failed" };
            self.failures.with_label_values(&[reaction.name(), result]).inc();
            let StoredEvent { live_id, seq, kind, .. } = event;
            tracing::warn!(%error, reaction = reaction.name(), live_id, seq, kind, "a reaction failed");
            if is_retried {
                self.stopped_at(event, place);
                return Err(Again);
            }
        }
        Ok(())
    }

    /// Where an event that is tried again goes on: users are not told twice of what only its last
    /// reaction could not do.
    fn resume(&self, event: &StoredEvent) -> usize {
        let key = (event.live_id.clone(), event.seq);
        self.stopped.remove(&key).unwrap_or_default()
    }

    fn stopped_at(&self, event: &StoredEvent, place: usize) {
        self.stopped.insert((event.live_id.clone(), event.seq), place);
    }
}
