//! STUB
use crate::store::{
    db::{Db, StoreError, Tx},
    fence::{Fence, LeaseLost},
};
use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
pub struct LeaderLease(Instant);
impl LeaderLease {
    pub fn new(_d: Db, _n: u16, _p: u16, _o: String, _l: Duration) -> Self {
        Self(Instant::now())
    }
    pub fn is_leader(&self) -> bool {
        true
    }
    pub fn leading_since(&self) -> Option<Instant> {
        Some(self.0)
    }
    pub async fn release(&self) -> Result<(), StoreError> {
        Ok(())
    }
    pub async fn keep(self: Arc<Self>, s: tokio_util::sync::CancellationToken) {
        s.cancelled().await
    }
}
impl Fence for LeaderLease {
    fn check<'a>(
        &'a self,
        _tx: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}
