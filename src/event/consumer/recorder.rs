//! Writing down how far lanes were handled.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{AFTER_FAILURE, BATCH, Consumer, Progress};
use crate::crash;
use crate::event::lanes::{Finished, Lanes};
use crate::rest::request_id::RequestId;
use crate::store::db::StoreError;
use crate::telemetry::context;

/// How often a record is tried again after a stop.
const LAST_TRIES: u32 = 8;

/// A lane that was handled, until that is written down.
pub(super) struct Ended<A> {
    pub(super) progress: Progress<A>,
    pub(super) until: Instant,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// Writes down results, many at once, until the last sender is gone.
pub(super) async fn record<C: Consumer>(
    lanes: Lanes,
    consumer: Arc<C>,
    mut results: mpsc::Receiver<Ended<C::Aside>>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while results.recv_many(&mut batch, BATCH).await > 0 {
        let mut failures = 0;
        let id = RequestId::generate().shared();
        while let Err(error) =
            context::within(Arc::clone(&id), write(&lanes, consumer.as_ref(), &batch)).await
        {
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
