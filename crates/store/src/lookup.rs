//! Rows kept in process for a short, stated time and dropped at once when they change.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;

use super::db::{StoreError, assert_no_transaction};
use common::failure::{Failure, Kind};

/// A bounded look-up of `V` by text key. Concurrent look-ups of one missing key load it once.
///
/// A load that was under way while [`Lookup::forget`] ran may carry the state from before the change, so
/// it is handed to those who asked before it, and neither kept nor given to who asks later.
#[derive(Clone)]
pub struct Lookup<V> {
    rows: Cache<Arc<str>, Loaded<V>>,
    changes: Arc<Changes>,
}

/// A row, and the mark at which its load began.
type Loaded<V> = (u64, Arc<V>);

/// Into how many groups keys are hashed. A change spoils the loads of its own group only.
const STRIPES: usize = 256;

/// When keys last changed, counted in changes of any key.
struct Changes {
    /// Changes so far.
    count: AtomicU64,
    /// The number of the last change of a key of each group.
    last: Box<[AtomicU64]>,
    /// The number of the last change of all keys at once.
    last_of_all: AtomicU64,
    hasher: RandomState,
}

impl Changes {
    fn new() -> Self {
        Self {
            count: AtomicU64::new(0),
            last: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
            last_of_all: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }

    fn mark(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    fn note(&self, key: &str) {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(last) = self.stripe(key) {
            last.fetch_max(number, Ordering::SeqCst);
        }
    }

    fn note_all(&self) {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        self.last_of_all.fetch_max(number, Ordering::SeqCst);
    }

    /// Whether `key`, or one of its group, changed after `mark`.
    fn since(&self, mark: u64, key: &str) -> bool {
        let last = self.stripe(key).map_or(0, |last| last.load(Ordering::SeqCst));
        last.max(self.last_of_all.load(Ordering::SeqCst)) > mark
    }

    fn stripe(&self, key: &str) -> Option<&AtomicU64> {
        let stripes = u64::try_from(STRIPES).unwrap_or(1);
        let index = self.hasher.hash_one(key) % stripes;
        self.last.get(usize::try_from(index).unwrap_or_default())
    }
}

impl<V: Send + Sync + 'static> Lookup<V> {
    /// A look-up of at most `capacity` rows, each kept for at most `ttl`.
    #[must_use]
    pub fn new(capacity: u64, ttl: Duration) -> Self {
        let rows = Cache::builder().max_capacity(capacity).time_to_live(ttl).build();
        Self { rows, changes: Arc::new(Changes::new()) }
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
                Ok(Some(row)) if !self.changes.since(mark, key) => Ok((mark, Arc::new(row))),
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
        if is_own && self.changes.since(mark, key) {
            self.rows.invalidate(key).await;
        }
        match found {
            Some((began, row)) if is_own || began >= mark || !self.changes.since(began, key) => Ok(Some(row)),
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
        self.changes.mark()
    }

    /// Keeps a row that was loaded with others, unless it changed since `mark`.
    pub async fn keep(&self, mark: u64, key: &str, row: Arc<V>) {
        if !self.changes.since(mark, key) {
            self.rows.insert(key.into(), (mark, row)).await;
            // A change may have come between the two.
            if self.changes.since(mark, key) {
                self.rows.invalidate(key).await;
            }
        }
    }

    /// Drops the row of `key`.
    pub async fn forget(&self, key: &str) {
        self.changes.note(key);
        self.rows.invalidate(key).await;
    }

    /// Drops every row.
    pub fn forget_all(&self) {
        self.changes.note_all();
        self.rows.invalidate_all();
    }
}

enum Miss<V> {
    /// It changed while it was loaded.
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

    #[tokio::test]
    async fn a_change_of_one_key_does_not_keep_others_from_being_remembered() {
        let rows: Lookup<u32> = Lookup::new(100, Duration::from_secs(60));
        for number in 0..32 {
            let load = async {
                rows.forget("busy").await;
                Ok(Some(number))
            };
            assert!(rows.get(&number.to_string(), load).await.is_ok());
            let mark = rows.mark();
            rows.forget("busy").await;
            rows.keep(mark, &format!("kept {number}"), Arc::new(number)).await;
        }
        let mut remembered = 0;
        for number in 0..32 {
            remembered += usize::from(rows.peek(&number.to_string()).await.is_some());
            remembered += usize::from(rows.peek(&format!("kept {number}")).await.is_some());
        }
        // A few may share the group of the busy one.
        assert!(remembered >= 56, "{remembered} of 64");
    }

    #[tokio::test]
    async fn a_row_that_changed_since_the_mark_is_not_kept() {
        let rows: Lookup<u32> = Lookup::new(100, Duration::from_secs(60));
        let mark = rows.mark();
        rows.forget("own").await;
        rows.keep(mark, "own", Arc::new(1)).await;
        assert!(rows.peek("own").await.is_none());
        let mark = rows.mark();
        rows.forget_all();
        rows.keep(mark, "other", Arc::new(1)).await;
        assert!(rows.peek("other").await.is_none());
        rows.keep(rows.mark(), "own", Arc::new(2)).await;
        assert_eq!(rows.peek("own").await.as_deref(), Some(&2));
    }
}
