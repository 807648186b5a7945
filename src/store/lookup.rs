//! Rows kept in process for a short, stated time and dropped at once when they change.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;

use super::db::StoreError;
use crate::error::{Failure, Kind};

/// A bounded look-up of `V` by text key. Concurrent look-ups of one missing key load it once.
///
/// A load that was under way while [`Lookup::forget`] ran may carry the state from before the
/// change, so it is handed to its callers but not kept.
#[derive(Clone)]
pub struct Lookup<V> {
    rows: Cache<Arc<str>, Arc<V>>,
    changes: Arc<AtomicU64>,
}

impl<V: Send + Sync + 'static> Lookup<V> {
    /// A look-up of at most `capacity` rows, each kept for at most `ttl`.
    #[must_use]
    pub fn new(capacity: u64, ttl: Duration) -> Self {
        let rows = Cache::builder().max_capacity(capacity).time_to_live(ttl).build();
        Self { rows, changes: Arc::new(AtomicU64::new(0)) }
    }

    /// The row of `key`, from memory or by `load`; absent rows are not remembered, so that one
    /// created a moment later is seen.
    ///
    /// # Errors
    /// The one of `load`, shared by all callers that waited for it.
    pub async fn get<F>(&self, key: &str, load: F) -> Result<Option<Arc<V>>, SharedError>
    where
        F: Future<Output = Result<Option<V>, StoreError>>,
    {
        if let Some(row) = self.rows.get(key).await {
            return Ok(Some(row));
        }
        let mark = self.mark();
        let key: Arc<str> = key.into();
        let loading = async {
            match load.await {
                Ok(Some(row)) => Ok(Arc::new(row)),
                Ok(None) => Err(Miss::Absent),
                Err(error) => Err(Miss::Failed(SharedError(Arc::new(error)))),
            }
        };
        let found = match self.rows.try_get_with(Arc::clone(&key), loading).await {
            Ok(row) => Ok(Some(row)),
            Err(miss) => match miss.as_ref() {
                Miss::Absent => Ok(None),
                Miss::Failed(error) => Err(error.clone()),
            },
        };
        if self.mark() != mark {
            self.rows.invalidate(&key).await;
        }
        found
    }

    /// The row of `key` when it is in memory.
    pub async fn peek(&self, key: &str) -> Option<Arc<V>> {
        self.rows.get(key).await
    }

    /// A mark to be taken before a load whose rows shall be kept with [`Lookup::keep`].
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Keeps a row that was loaded with others, unless something changed since `mark`.
    pub async fn keep(&self, mark: u64, key: &str, row: Arc<V>) {
        if self.changes.load(Ordering::Acquire) == mark {
            self.rows.insert(key.into(), row).await;
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

enum Miss {
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
