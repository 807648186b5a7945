//! Whether jobs find their node leading.

use std::pin::Pin;

use store::db::Tx;
use store::fence::{Fence, LeaseLost};

/// Leads as long as nobody else is asked.
pub struct Leader;

impl Fence for Leader {
    fn check<'a>(
        &'a self,
        _: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}

/// Leads no more.
pub struct FormerLeader;

impl Fence for FormerLeader {
    fn check<'a>(
        &'a self,
        _: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>> {
        Box::pin(async { Err(LeaseLost::Lost) })
    }
}
