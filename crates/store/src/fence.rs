//! What keeps a former leader from doing anything late.

use std::future::Future;
use std::pin::Pin;

use super::db::{StoreError, Tx};

/// This node does not lead any more, or it cannot be told whether it does.
#[derive(Debug, thiserror::Error)]
pub enum LeaseLost {
    /// Another owner or token stands in the lease.
    #[error("another node leads now")]
    Lost,
    /// The lease could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checked inside each transaction of a job, so that the transaction and the leadership end
/// together.
pub trait Fence: Send + Sync {
    /// Holds the leadership until `tx` ends.
    fn check<'a>(
        &'a self,
        tx: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>>;
}
