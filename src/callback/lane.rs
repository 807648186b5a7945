//! Delivers from the lanes: per room in order, until an event failed three times.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::body::{Bodies, Callback, webhook_id};
use super::courier::{Attempt, Courier};
use super::queries::{self, NewDelivery};
use super::schedule::{self, Next};
use super::sender::Post;
use crate::event::consumer::{Capacity, Consumer, Progress, Work};
use crate::event::lanes::Finished;
use crate::event::{CALLBACKS, StoredEvent};
use common::clock::SharedClock;
use common::{crash, supervise};
use store::db::{Db, StoreError, Tx};

/// Kept free at the end of a claim's lease, for the record.
const RESERVE: Duration = Duration::from_secs(2);
/// The rest of a lane in which the receiver was found down, so that the next probe is for another.
const AFTER_PROBE: Duration = Duration::from_secs(2);
/// The rest of a lane whose callback made us panic.
const AFTER_PANIC: Duration = Duration::from_secs(60);
/// The longest rest of a lane whose event should leave it and cannot be stored elsewhere.
const UNKEPT_REST: Duration = Duration::from_secs(10 * 60);
/// The rest of a lane whose callback could not be made up for want of the database.
const AFTER_OUTAGE: Duration = Duration::from_millis(500);

/// The consumer of events that delivers callbacks.
pub(super) struct LaneDelivery {
    pub(super) db: Db,
    pub(super) clock: SharedClock,
    pub(super) bodies: Bodies,
    pub(super) courier: Arc<Courier>,
}

/// What an event came to.
enum Step {
    /// It is settled.
    Settled,
    /// It is not the lane's any more.
    Left(NewDelivery),
    /// The lane ends here for now: attempts so far, and a rest.
    Rest(i32, Duration),
}

#[async_trait]
impl Consumer for LaneDelivery {
    type Aside = NewDelivery;

    fn steps(&self) -> (&'static str, &'static str) {
        ("callback.claimed", "callback.recorded")
    }

    fn capacity(&self) -> Capacity {
        self.courier.capacity()
    }

    async fn handle(&self, work: Work) -> Progress<NewDelivery> {
        let mut aside = Vec::new();
        let (mut done, mut attempts) = (work.claim.done, work.claim.attempts);
        for event in &work.events {
            if event.is_too_new(attempts) {
                let finished = work.finished(done, attempts.saturating_add(1), StoredEvent::REST);
                return Progress { finished, aside };
            }
            let step = event.within("callback", self.step(&work, event, attempts));
            // After a panic nothing is given up: the room waits.
            let panicked = |_| Step::Rest(attempts.saturating_add(1), AFTER_PANIC);
            match supervise::catch(CALLBACKS.name, step).await.unwrap_or_else(panicked) {
                Step::Settled => {}
                Step::Left(delivery) => aside.push(delivery),
                Step::Rest(attempts, rest) => {
                    return Progress { finished: work.finished(done, attempts, rest), aside };
                }
            }
            (done, attempts) = (event.seq, 0);
        }
        Progress { finished: work.finished(work.last, 0, Duration::ZERO), aside }
    }

    async fn keep(&self, tx: &Tx<'_>, aside: &[&NewDelivery]) -> Result<(), StoreError> {
        queries::insert(&self.db, tx, aside, self.clock.now()).await
    }

    /// The event stays in its lane, where it is tried again.
    fn unkept(&self, progress: &Progress<NewDelivery>) -> Finished {
        let finished = progress.finished.clone();
        let Some(first) = progress.aside.first() else { return finished };
        let pause = first.pause.map_or(UNKEPT_REST, |pause| pause.min(UNKEPT_REST));
        Finished { done: first.seq.saturating_sub(1), attempts: first.attempts, pause, ..finished }
    }
}

impl LaneDelivery {
    async fn step(&self, work: &Work, event: &StoredEvent, attempts: i32) -> Step {
        let callback = match self.bodies.of(event).await {
            Ok(Some(callback)) => callback,
            Ok(None) => return Step::Settled,
            Err(error) => {
                tracing::warn!(%error, event.live_id, "a callback cannot be made up yet");
                return Step::Rest(attempts, AFTER_OUTAGE);
            }
        };
        if !work.has_time(self.courier.timeout() + RESERVE) {
            return Step::Rest(attempts, Duration::ZERO);
        }
        let webhook_id = webhook_id(&event.live_id, event.seq);
        let request_id = event.request_id.to_string();
        let post = Post { webhook_id, seq: event.seq, request_id, body: callback.json.clone() };
        let failed = match self.courier.attempt(&event.live_id, &post, &work.abort).await {
            Attempt::Delivered => None,
            Attempt::Held if work.stop.is_cancelled() => return Step::Rest(attempts, Duration::ZERO),
            Attempt::Held => return Step::Rest(attempts, AFTER_PROBE),
            Attempt::Failed(failed) => Some(failed),
        };
        crash::point("callback.posted");
        let Some(failed) = failed else { return Step::Settled };
        let attempts = attempts.saturating_add(1);
        let next = schedule::after(attempts.unsigned_abs(), self.courier.max_attempts, &failed);
        let last_error = failed.reason.to_string();
        match next {
            Next::Again(rest) => Step::Rest(attempts, rest),
            Next::Alone(pause) => Step::Left(alone(event, callback, attempts, last_error, Some(pause))),
            Next::Ended => Step::Left(alone(event, callback, attempts, last_error, None)),
        }
    }
}

fn alone(
    event: &StoredEvent,
    callback: Callback,
    attempts: i32,
    last_error: String,
    pause: Option<Duration>,
) -> NewDelivery {
    NewDelivery {
        webhook_id: webhook_id(&event.live_id, event.seq),
        live_id: event.live_id.clone(),
        seq: event.seq,
        kind: callback.kind,
        body: callback.json,
        attempts,
        last_error,
        event_at: event.at,
        request_id: event.request_id.to_string(),
        pause,
    }
}
