//! Those who act on events after their commit.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::services::{AppContext, Services};
use crate::auth::WebhookSigner;
use crate::callback;
use crate::reactions::endings::{DemonstrationEnds, PkEnds};
use crate::reactions::messages::Messages;
use crate::reactions::reviews::ReviewFollows;
use crate::reactions::{self, Reaction};

/// Starts them; they end after `stop`.
pub(super) fn start(
    context: &AppContext,
    services: &Services,
    stop: &CancellationToken,
) -> anyhow::Result<TaskTracker> {
    let AppContext { config, reloads, db, clock, registry, .. } = context;
    let running = TaskTracker::new();
    let node_id = config.node.node_id;
    let users = services.users.as_ref();
    let parts = callback::Parts {
        db: db.clone(),
        clock: Arc::clone(clock),
        users: users.clone(),
        signer: reloads.derive(|config| WebhookSigner::new(&config.callback.secrets)),
        node_id,
    };
    callback::start(parts, &config.callback, registry, &running, stop)?;

    let lives = services.lives.as_ref().clone();
    let im = services.im.as_ref().clone();
    let messages = Messages::new(lives, users.clone(), im, registry)?;
    // State first; then users are told of what is so; last what waits for services outside.
    let all: Vec<Arc<dyn Reaction>> = vec![
        Arc::new(PkEnds(services.relays.as_ref().clone())),
        Arc::new(messages),
        Arc::new(DemonstrationEnds(services.items.as_ref().clone())),
        Arc::new(ReviewFollows(services.reviews.as_ref().clone())),
    ];
    reactions::start(db.clone(), node_id, all, registry, &running, stop)?;
    running.close();
    Ok(running)
}
