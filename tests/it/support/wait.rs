//! Waiting for a condition instead of for a while.

use std::time::{Duration, Instant};

/// How long to let others work before asking again.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `check` gives something and returns that; fails the test after `limit`.
///
/// A `check` that hangs is cut off at the limit, too.
pub async fn wait_for<T>(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        let left = limit.checked_sub(start.elapsed());
        let left = left.unwrap_or_else(|| panic!("{what}: not within {limit:?}"));
        if let Ok(Some(found)) = tokio::time::timeout(left, check()).await {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until `check` holds; fails the test after `limit`.
pub async fn wait_until(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> bool) {
    wait_for(what, limit, async || check().await.then_some(())).await;
}
