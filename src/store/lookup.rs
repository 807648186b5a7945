//! Rows kept in process for a short, stated time and dropped at once when they change.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;

use super::db::{StoreError, assert_no_transaction};
use crate::error::{Failure, Kind};

/// A bounded look-up of `V` by text key. Concurrent look-ups of one missing key load it once.
///
/// A load that was under way while [`Lookup::forget`] ran may carry the state from before the change, so
/// it is handed to those who asked before it, and neither kept nor given to who asks later.
#[derive(Clone)]
pub struct Lookup<V> {
    rows: Cache<Arc<str>, Loaded<V>>,
    changes: Arc<AtomicU64>,
}

/// A row, and the mark at which its load began.
type Loaded<V> = (u64, Arc<V>);

impl<V: Send + Sync + 'static> Lookup<V> {
    /// A look-up of at most `capacity` rows, each kept for at most `ttl`.
    #[must_use]
    pub fn new(capacity: u64, ttl: Duration) -> Self {
        let rows = Cache::builder().max_capacity(capacity).time_to_live(ttl).build();
        Self { rows, changes: Arc::new(AtomicU64::new(0)) }
    }

    /// The row of `key`, from memory or by `load`; absent rows are not remembered, so that one
    /// created a moment later is seen. Never inside a transaction ([`assert_no_transaction`]).
    ///
    /// # Errors
    /// The one of `load`, shared by all callers that waited for it.
    pub async fn get<F>(&self, key: &str, load: F) -> Result<Option<Arc<V>>, SharedError>
    where
        F: Future<Output = Result<Option<V>, StoreError>>,
    {
        assert_no_transaction();
        if let Some((_, row)) = self.rows.get(key).await {
            return Ok(Some(row));
        }
        let mark = self.mark();
        let mut load = pin!(load);
        let mut is_own = false;
        let loading = async {
            is_own = true;
            match load.as_mut().await {
                Ok(Some(row)) if self.mark() == mark => Ok((mark, Arc::new(row))),
                Ok(Some(row)) => Err(Miss::Changed((mark, Arc::new(row)))),
                Ok(None) => Err(Miss::Absent),
                Err(error) => Err(Miss::Failed(SharedError(Arc::new(error)))),
            }
        };
        let found = match self.rows.try_get_with(key.into(), loading).await {
            Ok(loaded) => Some(loaded),
            Err(miss) => match miss.as_ref() {
                Miss::Changed(loaded) => Some(loaded.clone()),
                Miss::Absent => None,
                Miss::Failed(error) => return Err(error.clone()),
            },
        };
        if is_own && self.mark() != mark {
            self.rows.invalidate(key).await;
        }
        match found {
            Some((began, row)) if is_own || began >= mark => Ok(Some(row)),
            None if is_own => Ok(None),
            // It was another's load, from before a change that this caller may know of.
            _ => match load.await {
                Ok(row) => Ok(row.map(Arc::new)),
                Err(error) => Err(SharedError(Arc::new(error))),
            },
        }
    }

    /// The row of `key` when it is in memory.
    pub async fn peek(&self, key: &str) -> Option<Arc<V>> {
        self.rows.get(key).await.map(|(_, row)| row)
    }

    /// A mark to be taken before a load whose rows shall be kept with [`Lookup::keep`].
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Keeps a row that was loaded with others, unless something changed since `mark`.
    pub async fn keep(&self, mark: u64, key: &str, row: Arc<V>) {
        if self.mark() == mark {
            self.rows.insert(key.into(), (mark, row)).await;
            // A change may have come between the two.
            if self.mark() != mark {
                self.rows.invalidate(key).await;
            }
        }
    }

    /// Drops the row of `key`.
    pub async fn forget(&self, key: &str) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.rows.invalidate(key).await;
    }

    /// Drops every row.
    pub fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.rows.invalidate_all();
    }
}

enum Miss<V> {
    /// Something changed while it was loaded.
    Changed(Loaded<V>),
    Absent,
    Failed(SharedError),
}

/// A store error that several waiting callers share.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct SharedError(Arc<StoreError>);

impl Failure for SharedError {
    fn kind(&self) -> Kind {
        self.0.kind()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::identity;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_asks_after_a_change_does_not_get_a_load_from_before_it() {
        let rows: Lookup<&str> = Lookup::new(10, Duration::from_secs(60));
        let (release, released) = oneshot::channel::<()>();
        let (begin, begun) = oneshot::channel::<()>();
        let early = async {
            let load = async {
                let _ = begin.send(());
                let _ = released.await;
                Ok(Some("before"))
            };
            rows.get("key", load).await
        };
        let late = async {
            let _ = begun.await;
            rows.forget("key").await;
            let mut late = pin!(rows.get("key", async { Ok(Some("after")) }));
            // It waits for the load that is under way.
            assert!(tokio::time::timeout(Duration::from_millis(20), &mut late).await.is_err());
            let _ = release.send(());
            late.await
        };
        let (early, late) = tokio::join!(early, late);
        assert_eq!(early.ok().and_then(identity).as_deref(), Some(&"before"));
        assert_eq!(late.ok().and_then(identity).as_deref(), Some(&"after"));
        assert!(rows.peek("key").await.is_none(), "neither is kept");
    }
}
