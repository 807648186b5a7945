//! Waiting for a condition.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `check` holds.
///
/// # Errors
/// When it does not within `limit`; `what` is in the message.
pub async fn wait_until(what: &str, limit: Duration, check: impl AsyncFn() -> bool) -> Result<()> {
    let deadline = Instant::now() + limit;
    while !check().await {
        if Instant::now() > deadline {
            bail!("{what}: not within {limit:?}");
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
