//! STUB
use crate::{
    id::IdGenerator,
    store::db::{Db, StoreError},
};
use std::{sync::Arc, time::Duration};
pub struct NodeLease;
pub struct Alive {
    pub cache_failed_ms: Option<i64>,
}
impl NodeLease {
    pub async fn acquire(
        _db: &Db,
        _n: u16,
        _l: Duration,
        ids: Arc<IdGenerator>,
        _f: impl Fn() -> Option<i64> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let now = chrono::Utc::now().timestamp_millis();
        ids.allow(now, now + 1_000_000_000, std::time::Instant::now() + Duration::from_secs(1_000_000));
        Ok(Self)
    }
    pub fn owner(&self) -> &str {
        ""
    }
    pub async fn release(self) -> Result<(), StoreError> {
        Ok(())
    }
}
pub async fn alive_nodes(_db: &Db) -> Result<Vec<Alive>, StoreError> {
    Ok(vec![])
}
