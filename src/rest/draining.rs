//! Whether the node is on its way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// While a node drains it says that it is not ready, and ends each connection with the answer to its next
/// request, so that callers go elsewhere before it stops to listen. Clones are of the same node.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on; whether it had begun before.
    pub fn begin(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
