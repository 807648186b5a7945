//! Running a consumer of events: claims lanes, hands them out, and records how far it came.
//!
//! Lanes are handled side by side, the events of one lane one after another. What was handled is
//! recorded for many lanes with one statement: while one is under way, the next results gather.

mod recorder;
mod runner;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::recorder::record;
use self::runner::Runner;
use super::StoredEvent;
use super::lanes::{Claim, Finished, Lanes};
use common::supervise;
use store::db::{StoreError, Tx};

/// Lanes under way in one process, at most.
const LANES: usize = 256;
/// Lanes of one claim, and of one record, at most.
const BATCH: usize = 64;
/// Pause after a failure to reach the database.
const AFTER_FAILURE: Duration = Duration::from_millis(250);

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

    /// What is recorded of a lane instead, if what should leave it can never be stored: as far as before that.
    fn unkept(&self, progress: &Progress<Self::Aside>) -> Finished {
        progress.finished.clone()
    }
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

/// Runs `consumer` over `lanes` until `stop`; then lets what is under way end, and gives back the rest.
pub async fn run<C: Consumer>(lanes: Lanes, consumer: Arc<C>, stop: CancellationToken) {
    let (results, recording) = mpsc::channel(LANES);
    let recording = record(lanes.clone(), Arc::clone(&consumer), recording, stop.clone());
    let recorder = supervise::spawn(lanes.group().name, recording);
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
