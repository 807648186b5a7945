//! Those who act on events after their commit.

use std::sync::Arc;

use prometheus::Registry;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::services::Services;
use crate::callback;
use crate::clock::SharedClock;
use crate::config::Config;
use crate::reactions::messages::Messages;
use crate::reactions::{self, Reaction};
use crate::store::db::Db;

/// Starts them; they end after `stop`.
pub(super) fn start(
    config: &Config,
    db: &Db,
    clock: &SharedClock,
    services: &Services,
    registry: &Registry,
    stop: &CancellationToken,
) -> anyhow::Result<TaskTracker> {
    let running = TaskTracker::new();
    let node_id = config.node.node_id;
    let users = services.users.as_ref();
    let parts = callback::Parts { db: db.clone(), clock: Arc::clone(clock), users: users.clone(), node_id };
    callback::start(parts, &config.callback, registry, &running, stop)?;

    let lives = services.lives.as_ref().clone();
    let im = services.im.as_ref().clone();
    let messages = Messages::new(lives, users.clone(), im, Arc::clone(clock), registry)?;
    // What changes state comes first; users are told last, of what then is so.
    let all: Vec<Arc<dyn Reaction>> = vec![Arc::new(messages)];
    reactions::start(db.clone(), node_id, all, registry, &running, stop)?;
    running.close();
    Ok(running)
}
