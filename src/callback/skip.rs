//! A node without an address: events are settled as they come, unless another node delivers them.
//!
//! The lanes are shared by all nodes. One whose configuration lacks the address must not settle what the
//! others deliver, also while these are away for a while.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::event::lanes::Lanes;
use store::db::StoreError;
use store::registry;

/// How often lanes are skipped while nobody is to be told.
const EVERY: Duration = Duration::from_secs(1);
/// Lanes that are skipped at once.
const BATCH: usize = 512;
/// How long nothing is skipped after the last node with an address was there.
const ABSENCE: Duration = Duration::from_secs(3 * 24 * 3600);

/// Settles what is due, until `stop`: whoever configures an address later is not told of the past.
pub(super) async fn run(lanes: Lanes, node_id: u16, stop: CancellationToken) {
    let mut skip = Skip { lanes, node_id, is_left_to: None };
    if let Err(error) = skip.is_ours().await {
        tracing::debug!(%error, "the other nodes are not known yet");
    }
    loop {
        match skip.once().await {
            Ok(BATCH) if !stop.is_cancelled() => continue,
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "events cannot be skipped yet"),
        }
        if stop.run_until_cancelled(sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

struct Skip {
    lanes: Lanes,
    node_id: u16,
    /// The node that has an address, as was warned of.
    is_left_to: Option<i32>,
}

impl Skip {
    async fn once(&mut self) -> Result<usize, StoreError> {
        if self.lanes.is_any_due().await? && self.is_ours().await? {
            return self.lanes.skip(BATCH).await;
        }
        Ok(0)
    }

    /// Whether no other node delivers; warns of one that does, once.
    async fn is_ours(&mut self) -> Result<bool, StoreError> {
        let other = registry::other_with_callbacks(self.lanes.db(), self.node_id, ABSENCE).await?;
        if let Some(other) = other
            && self.is_left_to.is_none()
        {
            tracing::warn!(
                other,
                "callback.addr is empty here but not on another node, and has to be the same on all: this \
                 node delivers no callbacks and leaves them to the others"
            );
        }
        self.is_left_to = other;
        Ok(other.is_none())
    }
}
