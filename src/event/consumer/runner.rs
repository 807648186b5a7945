//! Claiming partitions and handing them out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::recorder::Ended;
use super::{AFTER_FAILURE, BATCH, Capacity, Consumer, Progress, Work};
use crate::event::StoredEvent;
use crate::event::partitions::{Claim, Partitions};
use common::crash;
use common::request_id::RequestId;
use common::supervise;
use store::db::StoreError;
use telemetry::context;

/// Events of a partition that are handled before it goes to the end of the queue, at most.
const PER_LANE: i64 = 16;
/// From one look for due partitions to the next while nothing wakes: for partitions whose pause is over, and
/// for events of other nodes.
const POLL: Duration = Duration::from_millis(400);
/// From one claim to the next at least, unless more was due than was claimed: so that under load partitions
/// are claimed together, at a fraction of a statement for an event.
const PACE: Duration = Duration::from_millis(40);
/// The rest of a partition whose handling panicked.
const AFTER_PANIC: Duration = Duration::from_secs(5);
/// How long what is under way may go on after a stop.
const LAST_WORK: Duration = Duration::from_secs(6);

/// How many of the partitions that were allowed were due.
enum Claimed {
    AllAllowed,
    Some,
}

/// Claims partitions and hands them out.
pub(super) struct Runner<C: Consumer> {
    pub(super) partitions: Partitions,
    pub(super) consumer: Arc<C>,
    pub(super) left_work: watch::Receiver<()>,
    pub(super) results: mpsc::Sender<Ended<C::Retry>>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    pub(super) abort: CancellationToken,
}

impl<C: Consumer> Runner<C> {
    pub(super) async fn run(mut self) {
        let stop = self.stop.clone();
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut is_failing, mut is_more_due) = (false, false);
        while let Some(limit) = stop.run_until_cancelled(self.capacity(&mut pace, is_more_due)).await {
            // What is appended from here on is seen by the claim, or wakes.
            self.left_work.mark_unchanged();
            // Not given up by a stop: the claimed partitions would wait for the end of the lease.
            let claimed = context::within(RequestId::generate().shared(), self.claim(limit)).await;
            if let Err(error) = &claimed
                && !is_failing
            {
                tracing::warn!(%error, consumer = self.partitions.group().name, "lanes cannot be claimed");
            }
            is_failing = claimed.is_err();
            is_more_due = matches!(claimed, Ok(Claimed::AllAllowed));
            let pause = async {
                match claimed {
                    Err(_) => sleep(AFTER_FAILURE).await,
                    Ok(Claimed::Some) => self.wait_for_work().await,
                    Ok(Claimed::AllAllowed) => {}
                }
            };
            stop.run_until_cancelled(pause).await;
        }
        self.end().await;
    }

    /// Waits until something may be claimed; answers how many partitions.
    async fn capacity(&self, pace: &mut Interval, is_more_due: bool) -> usize {
        if !is_more_due {
            pace.tick().await;
        }
        loop {
            match self.consumer.capacity() {
                Capacity::Free => return BATCH,
                Capacity::One => return 1,
                Capacity::None(pause) => sleep(pause).await,
            }
        }
    }

    /// Claims partitions and begins to handle them.
    async fn claim(&self, limit: usize) -> Result<Claimed, StoreError> {
        let permit = self.stop.run_until_cancelled(Arc::clone(&self.permits).acquire_owned()).await;
        let Some(Ok(first)) = permit else { return Ok(Claimed::Some) };
        let mut permits = vec![first];
        while permits.len() < limit
            && let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned()
        {
            permits.push(permit);
        }
        let allowed = permits.len();
        let claims = self.partitions.claim(allowed).await?;
        if claims.is_empty() {
            return Ok(Claimed::Some);
        }
        crash::point(self.consumer.steps().0);
        let claimed = if claims.len() == allowed { Claimed::AllAllowed } else { Claimed::Some };
        let (mut events, claimed) = match self.read(&claims).await {
            Ok(events) => (events, Ok(claimed)),
            Err(error) => (HashMap::new(), Err(error)),
        };
        let rest = if claimed.is_ok() { StoredEvent::REST } else { AFTER_FAILURE };
        for (claim, permit) in claims.into_iter().zip(permits) {
            let own = events.remove(&claim.live_id).ok_or(rest);
            self.begin(claim, own, permit);
        }
        claimed
    }

    /// The next events of each claim, by room. An event that can never be read holds up its own room only,
    /// which is left out then.
    async fn read(&self, claims: &[Claim]) -> Result<HashMap<String, Vec<StoredEvent>>, StoreError> {
        match self.partitions.read(claims, PER_LANE).await {
            Err(error) if !error.is_passing() => {}
            read => return read,
        }
        let mut events = HashMap::with_capacity(claims.len());
        for claim in claims {
            match self.partitions.read(std::slice::from_ref(claim), PER_LANE).await {
                Ok(own) => events.extend(own),
                Err(error) => tracing::error!(%error, claim.live_id, "the events of a room cannot be read"),
            }
        }
        Ok(events)
    }

    /// Begins to handle a partition; without its events, which could not be read, only gives it back for a rest.
    fn begin(&self, claim: Claim, events: Result<Vec<StoredEvent>, Duration>, permit: OwnedSemaphorePermit) {
        let (consumer, results) = (Arc::clone(&self.consumer), self.results.clone());
        let (until, last) = (claim.until, claim.last(PER_LANE));
        let (stop, abort) = (self.stop.clone(), self.abort.clone());
        let name = self.partitions.group().name;
        self.tasks.spawn(context::carry(async move {
            let work = |events| Work { claim, events, last, stop, abort };
            let given_back = |finished| Progress { finished, retry: Vec::new() };
            let progress = match events {
                Ok(events) => {
                    let work = work(events);
                    let attempts = work.claim.attempts.saturating_add(1);
                    let given_up = work.finished(work.claim.done, attempts, AFTER_PANIC);
                    let handled = supervise::catch(name, consumer.handle(work)).await;
                    handled.unwrap_or_else(|_| given_back(given_up))
                }
                Err(rest) => {
                    let work = work(Vec::new());
                    given_back(work.finished(work.claim.done, work.claim.attempts, rest))
                }
            };
            let _ = results.send(Ended { progress, until, _permit: permit }).await;
        }));
    }

    /// Waits until a partition may be due.
    async fn wait_for_work(&mut self) {
        loop {
            if let Ok(Ok(())) = timeout(POLL, self.left_work.changed()).await {
                return;
            }
            // A failed look is found out by the claim.
            if self.partitions.is_any_due().await.unwrap_or(true) {
                return;
            }
        }
    }

    async fn end(self) {
        self.tasks.close();
        if timeout(LAST_WORK, self.tasks.wait()).await.is_err() {
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}
