//! Keeping the registration, in the background.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::claim::{Claim, Claimed};
use super::{Registration, RegistryError};
use common::crash;

/// Ids are reserved a few seconds ahead, so renewals must not be further apart, however long the lease.
const AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// Pause after a failure, so that ids are issued again soon after the database is back.
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// Renews the registration five times in a lease, until `stop`; `registration` tells how the last one went. A
/// renewal that has begun is ended.
pub(super) async fn run(claim: Claim, registration: Registration, stop: CancellationToken) {
    let every = AT_LEAST_EVERY.min(claim.row.lease / 5);
    let mut pause = every;
    let mut is_failing = false;
    while stop.run_until_cancelled(sleep(pause)).await.is_some() {
        let renewed = renew(&claim).await;
        match &renewed {
            Err(error) if !is_failing => {
                let node_id = claim.row.node_id;
                tracing::error!(node_id, %error, "the node's registration cannot be renewed; ids end with its lease");
            }
            Ok(()) if is_failing => tracing::info!("the node's registration is renewed again"),
            _ => {}
        }
        is_failing = renewed.is_err();
        registration.note(!is_failing);
        crash::point("registry.renewed");
        pause = if is_failing { every.min(AFTER_FAILURE) } else { every };
    }
}

/// Renews, or takes the row again if it was lost and is free.
async fn renew(claim: &Claim) -> Result<(), RegistryError> {
    if claim.renew().await? {
        return Ok(());
    }
    match claim.attempt().await? {
        Claimed::Ours => Ok(()),
        Claimed::HeldBy { held, .. } => Err(claim.in_use(&held)),
    }
}
