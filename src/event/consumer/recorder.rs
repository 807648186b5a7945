//! Writing down how far partitions were handled.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{AFTER_FAILURE, BATCH, Consumer, Progress};
use crate::event::partitions::{Finished, Partitions};
use common::crash;
use common::request_id::RequestId;
use store::db::StoreError;
use telemetry::context;

/// How often a record is tried again after a stop.
const LAST_TRIES: u32 = 8;

/// A partition that was handled, until that is written down.
pub(super) struct Ended<A> {
    pub(super) progress: Progress<A>,
    pub(super) until: Instant,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// Writes down results, many at once, until the last sender is gone.
pub(super) async fn record<C: Consumer>(
    partitions: Partitions,
    consumer: Arc<C>,
    mut results: mpsc::Receiver<Ended<C::Retry>>,
    stop: CancellationToken,
) {
    let recorder = Recorder { partitions, consumer, stop };
    let mut batch = Vec::with_capacity(BATCH);
    while results.recv_many(&mut batch, BATCH).await > 0 {
        context::within(RequestId::generate().shared(), recorder.settle(&mut batch)).await;
        crash::point(recorder.consumer.steps().1);
    }
}

struct Recorder<C> {
    partitions: Partitions,
    consumer: Arc<C>,
    stop: CancellationToken,
}

impl<C: Consumer> Recorder<C> {
    /// Writes down a batch. When that can never be done, each result is written for itself: one of them must
    /// not make all the other rooms repeat what they did.
    async fn settle(&self, batch: &mut Vec<Ended<C::Retry>>) {
        if let Err(error) = self.write_in_time(batch).await {
            if batch.len() > 1 {
                tracing::warn!(%error, consumer = self.name(), "results are recorded one by one");
            }
            for ended in batch.drain(..) {
                self.settle_alone(ended).await;
            }
        }
    }

    async fn settle_alone(&self, ended: Ended<C::Retry>) {
        let live_id = ended.progress.finished.live_id.clone();
        let mut alone = vec![ended];
        let Err(error) = self.write_in_time(&mut alone).await else { return };
        tracing::error!(%error, consumer = self.name(), live_id, "what became of events cannot be stored");
        for ended in &mut alone {
            ended.progress = Progress { finished: self.consumer.unkept(&ended.progress), retry: Vec::new() };
        }
        if let Err(error) = self.write_in_time(&mut alone).await {
            tracing::error!(%error, consumer = self.name(), live_id, "a partition waits for the end of its lease");
        }
    }

    /// Writes down a batch, which is empty then; waits for a database that is away, as long as the partitions are
    /// ours. What is not written is handled again after its lease.
    ///
    /// # Errors
    /// When trying again would not help; the batch is left as it was.
    async fn write_in_time(&self, batch: &mut Vec<Ended<C::Retry>>) -> Result<(), StoreError> {
        let mut failures = 0;
        while let Err(error) = write(&self.partitions, self.consumer.as_ref(), batch).await {
            if !error.is_passing() {
                return Err(error);
            }
            if failures == 0 {
                tracing::warn!(%error, consumer = self.name(), "what was done with events cannot be recorded yet");
            }
            failures += 1;
            // Past its lease a partition is claimed again, and its events are handled again.
            batch.retain(|ended| Instant::now() < ended.until);
            if batch.is_empty() || (self.stop.is_cancelled() && failures > LAST_TRIES) {
                break;
            }
            sleep(AFTER_FAILURE).await;
        }
        batch.clear();
        Ok(())
    }

    fn name(&self) -> &'static str {
        self.partitions.group().name
    }
}

async fn write<C: Consumer>(
    partitions: &Partitions,
    consumer: &C,
    ended: &[Ended<C::Retry>],
) -> Result<(), StoreError> {
    let finished: Vec<Finished> = ended.iter().map(|ended| ended.progress.finished.clone()).collect();
    let db = partitions.db();
    if ended.iter().all(|ended| ended.progress.retry.is_empty()) {
        let finishing = db.lazy_transaction(|tx| {
            let finished = &finished;
            Box::pin(async move { partitions.finish(tx, finished).await })
        });
        return finishing.await.map(|_| ());
    }
    db.transaction(|tx| {
        let finished = &finished;
        Box::pin(async move {
            let ours = partitions.still_ours(tx, finished).await?;
            let retry: Vec<&C::Retry> = ended
                .iter()
                .filter(|ended| ours.contains(&ended.progress.finished.live_id))
                .flat_map(|ended| &ended.progress.retry)
                .collect();
            consumer.keep(tx, &retry).await?;
            partitions.finish(tx, finished).await?;
            tx.leaves_work();
            Ok(())
        })
    })
    .await
}
