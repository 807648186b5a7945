//! What must happen because of an event: each [`Reaction`] gets every event, those of a room in their
//! order, on any node, each at least once, soon after its commit.
//!
//! A database that fails holds the room's lane, and the event is tried again until it works. Whatever
//! else goes wrong is logged and counted, and the lane goes on.

pub mod endings;
mod lane;
pub mod messages;
pub mod reviews;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntCounterVec, Opts, Registry};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::lane::LaneReactions;
use crate::event::REACTIONS;
use crate::event::StoredEvent;
use crate::event::consumer;
use crate::event::lanes::Lanes;
use common::failure::{Failure, Kind};
use common::supervise;
use store::db::Db;

/// What a claim of a lane lasts: the events of one claim, each well within [`REACTION_LIMIT`].
const LEASE: Duration = Duration::from_secs(15);
/// Events whose reactions stopped half-way that are remembered.
const REMEMBERED: u64 = 10_000;
/// A reaction that takes longer is given up and tried again.
const REACTION_LIMIT: Duration = Duration::from_secs(5);

/// Something that must happen because of events. It may see an event more than once, on any node, and
/// must come to the same then.
#[async_trait]
pub trait Reaction: Send + Sync + 'static {
    /// The `reaction` label of metrics, and its name in logs.
    fn name(&self) -> &'static str;

    /// Reacts to `event`, or does nothing when it is none of its business.
    ///
    /// # Errors
    /// [`ReactionError`] says whether the event is tried again.
    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError>;
}

/// Why a reaction failed.
#[derive(Debug, thiserror::Error)]
pub enum ReactionError {
    /// The database or the cache cannot be reached: the event is tried again.
    #[error("to be tried again: {0}")]
    Unavailable(String),
    /// Trying again would not help.
    #[error("{0}")]
    Failed(String),
}

/// A feature's error: what the database's absence causes is tried again.
impl<F: Failure> From<F> for ReactionError {
    fn from(error: F) -> Self {
        match error.kind() {
            Kind::Unavailable | Kind::NotReady => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Starts to react, until `stop`; wait for `running` then. Reactions to one event run in the order of
/// `reactions`.
///
/// # Errors
/// When a metric is registered twice.
pub fn start(
    db: Db,
    node_id: u16,
    reactions: Vec<Arc<dyn Reaction>>,
    registry: &Registry,
    running: &TaskTracker,
    stop: &CancellationToken,
) -> prometheus::Result<()> {
    let failures = Opts::new(
        "liveloom_reaction_failures_total",
        "Reactions to events that failed, by reaction and result: failed (given up) or retried.",
    );
    let failures = IntCounterVec::new(failures, &["reaction", "result"])?;
    registry.register(Box::new(failures.clone()))?;
    // A rate of what never happened yet is 0, not unknown.
    for reaction in &reactions {
        for result in ["retried", "failed"] {
            failures.with_label_values(&[reaction.name(), result]);
        }
    }
    let lanes = Lanes::new(db, REACTIONS, node_id, LEASE);
    let consumer = LaneReactions { reactions, failures, stopped: moka::sync::Cache::new(REMEMBERED) };
    let reacting = consumer::run(lanes, Arc::new(consumer), stop.clone());
    running.spawn(supervise::until(REACTIONS.name, stop, reacting));
    Ok(())
}
