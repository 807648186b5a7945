//! Running a consumer of events: claims lanes, hands them out, and records how far it came.
//!
//! Lanes are handled side by side, the events of one lane one after another. What was handled is
//! recorded for many lanes with one statement: while one is under way, the next results gather.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StoredEvent;
use super::lanes::{Claim, Finished, Lanes};
use crate::crash;
use crate::store::db::{StoreError, Tx};

/// Lanes under way in one process, at most.
const LANES: usize = 256;
/// Lanes of one claim, and of one record, at most.
const BATCH: usize = 64;
/// Events of a lane that are handled before it goes to the end of the queue, at most.
const PER_LANE: i64 = 16;
/// From one look for due lanes to the next while nothing wakes: for lanes whose pause is over, and
/// for events of other nodes.
const POLL: Duration = Duration::from_millis(400);
/// From one claim to the next at least, unless more was due than was claimed: so that under load lanes
/// are claimed together, at a fraction of a statement for an event.
const PACE: Duration = Duration::from_millis(40);
/// Pause after a failure to reach the database.
const AFTER_FAILURE: Duration = Duration::from_millis(250);
/// How long what is under way may go on after a stop.
const LAST_WORK: Duration = Duration::from_secs(6);
/// How often a record is tried again after a stop.
const LAST_TRIES: u32 = 8;

/// What may be claimed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// All that is due.
    Free,
    /// One lane.
    One,
    /// Nothing for so long.
    None(Duration),
}

/// A lane to be handled.
#[derive(Debug)]
pub struct Work {
    /// The lane.
    pub claim: Claim,
    /// Its next events, in their order.
    pub events: Vec<StoredEvent>,
    /// The number up to which `events` goes.
    pub last: i64,
    /// Cancelled when no further event may be begun.
    pub stop: CancellationToken,
    /// Cancelled when what is under way must end.
    pub abort: CancellationToken,
}

/// How far a lane was handled.
#[derive(Debug)]
pub struct Progress<A> {
    /// What is written about the lane.
    pub finished: Finished,
    /// What leaves the lane in the same transaction.
    pub aside: Vec<A>,
}

/// Someone who handles the events of every room in their order, each at least once.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// What may leave a lane.
    type Aside: Send + Sync + 'static;

    /// Names of the steps at which tests may kill the process: after a claim, and after a record.
    fn steps(&self) -> (&'static str, &'static str);

    /// What may be claimed now.
    fn capacity(&self) -> Capacity {
        Capacity::Free
    }

    /// Handles the events of a lane, one after another, as far as possible.
    async fn handle(&self, work: Work) -> Progress<Self::Aside>;

    /// Stores what leaves its lane, in the transaction that records it.
    async fn keep(&self, tx: &Tx<'_>, aside: &[&Self::Aside]) -> Result<(), StoreError>;
}

impl Work {
    /// Progress as far as `done`; the next event failed `attempts` times and is due after `pause`.
    #[must_use]
    pub fn finished(&self, done: i64, attempts: i32, pause: Duration) -> Finished {
        let Claim { live_id, owner, .. } = &self.claim;
        Finished { live_id: live_id.clone(), owner: owner.clone(), done, attempts, pause }
    }

    /// Whether another event may be begun that takes up to `limit`.
    #[must_use]
    pub fn has_time(&self, limit: Duration) -> bool {
        !self.stop.is_cancelled() && Instant::now() + limit < self.claim.until
    }
}

/// How many of the lanes that were allowed were due.
enum Claimed {
    AllAllowed,
    Some,
}

struct Ended<A> {
    progress: Progress<A>,
    until: Instant,
    _permit: OwnedSemaphorePermit,
}

/// Runs `consumer` over `lanes` until `stop`; then lets what is under way end, and gives back the rest.
pub async fn run<C: Consumer>(lanes: Lanes, consumer: Arc<C>, stop: CancellationToken) {
    let (results, recording) = mpsc::channel(LANES);
    let recorder = tokio::spawn(record(lanes.clone(), Arc::clone(&consumer), recording, stop.clone()));
    let runner = Runner {
        left_work: lanes.db().left_work(),
        lanes,
        consumer,
        results,
        permits: Arc::new(Semaphore::new(LANES)),
        tasks: TaskTracker::new(),
        abort: CancellationToken::new(),
        stop,
    };
    runner.run().await;
    let _ = recorder.await;
}

struct Runner<C: Consumer> {
    lanes: Lanes,
    consumer: Arc<C>,
    left_work: watch::Receiver<()>,
    results: mpsc::Sender<Ended<C::Aside>>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl<C: Consumer> Runner<C> {
    async fn run(mut self) {
        let stop = self.stop.clone();
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut is_failing, mut is_more_due) = (false, false);
        while let Some(limit) = stop.run_until_cancelled(self.capacity(&mut pace, is_more_due)).await {
            // What is appended from here on is seen by the claim, or wakes.
            self.left_work.mark_unchanged();
            // Not given up by a stop: the claimed lanes would wait for the end of the lease.
            let claimed = self.claim(limit).await;
            if let Err(error) = &claimed
                && !is_failing
            {
                tracing::warn!(%error, consumer = self.lanes.group().name, "lanes cannot be claimed");
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

    /// Waits until something may be claimed; answers how many lanes.
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

    /// Claims lanes and begins to handle them.
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
        let claims = self.lanes.claim(allowed).await?;
        if claims.is_empty() {
            return Ok(Claimed::Some);
        }
        crash::point(self.consumer.steps().0);
        let claimed = if claims.len() == allowed { Claimed::AllAllowed } else { Claimed::Some };
        let (mut events, claimed) = match self.lanes.read(&claims, PER_LANE).await {
            Ok(events) => (Some(events), Ok(claimed)),
            Err(error) => (None, Err(error)),
        };
        for (claim, permit) in claims.into_iter().zip(permits) {
            let own = events.as_mut().map(|events| events.remove(&claim.live_id).unwrap_or_default());
            self.begin(claim, own, permit);
        }
        claimed
    }

    /// Begins to handle a lane; without its events, which could not be read, only gives it back.
    fn begin(&self, claim: Claim, events: Option<Vec<StoredEvent>>, permit: OwnedSemaphorePermit) {
        let (consumer, results) = (Arc::clone(&self.consumer), self.results.clone());
        let (until, last) = (claim.until, claim.last(PER_LANE));
        let (stop, abort) = (self.stop.clone(), self.abort.clone());
        self.tasks.spawn(async move {
            let is_read = events.is_some();
            let work = Work { claim, events: events.unwrap_or_default(), last, stop, abort };
            let progress = if is_read {
                consumer.handle(work).await
            } else {
                let finished = work.finished(work.claim.done, work.claim.attempts, AFTER_FAILURE);
                Progress { finished, aside: Vec::new() }
            };
            let _ = results.send(Ended { progress, until, _permit: permit }).await;
        });
    }

    /// Waits until a lane may be due.
    async fn wait_for_work(&mut self) {
        loop {
            if let Ok(Ok(())) = timeout(POLL, self.left_work.changed()).await {
                return;
            }
            // A failed look is found out by the claim.
            if self.lanes.is_any_due().await.unwrap_or(true) {
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

/// Writes down results, many at once, until the last sender is gone.
async fn record<C: Consumer>(
    lanes: Lanes,
    consumer: Arc<C>,
    mut results: mpsc::Receiver<Ended<C::Aside>>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while results.recv_many(&mut batch, BATCH).await > 0 {
        let mut failures = 0;
        while let Err(error) = write(&lanes, consumer.as_ref(), &batch).await {
            if failures == 0 {
                let consumer = lanes.group().name;
                tracing::warn!(%error, consumer, "what was done with events cannot be recorded yet");
            }
            failures += 1;
            // Past its lease a lane is claimed again, and its events are handled again.
            batch.retain(|ended| Instant::now() < ended.until);
            if batch.is_empty() || (stop.is_cancelled() && failures > LAST_TRIES) {
                break;
            }
            sleep(AFTER_FAILURE).await;
        }
        batch.clear();
        crash::point(consumer.steps().1);
    }
}

async fn write<C: Consumer>(
    lanes: &Lanes,
    consumer: &C,
    ended: &[Ended<C::Aside>],
) -> Result<(), StoreError> {
    let finished: Vec<Finished> = ended.iter().map(|ended| ended.progress.finished.clone()).collect();
    let db = lanes.db();
    if ended.iter().all(|ended| ended.progress.aside.is_empty()) {
        let finishing = db.lazy_transaction(|tx| {
            let finished = &finished;
            Box::pin(async move { lanes.finish(tx, finished).await })
        });
        return finishing.await.map(|_| ());
    }
    db.transaction(|tx| {
        let finished = &finished;
        Box::pin(async move {
            let ours = lanes.still_ours(tx, finished).await?;
            let aside: Vec<&C::Aside> = ended
                .iter()
                .filter(|ended| ours.contains(&ended.progress.finished.live_id))
                .flat_map(|ended| &ended.progress.aside)
                .collect();
            consumer.keep(tx, &aside).await?;
            lanes.finish(tx, finished).await?;
            tx.leaves_work();
            Ok(())
        })
    })
    .await
}
