//! Which counts are there already.
//!
//! On MySQL an `INSERT … ON DUPLICATE KEY UPDATE` uses an id up even when it only changes a row, and
//! the ids of `stats_single_live` have 32 bits: at 500 changes a second they would last 100 days.
//! Rows that this process has written are therefore changed by an `UPDATE`.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use moka::sync::Cache;
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::OnceCell;

use super::CountKey;
use crate::db::{Db, Dialect, StoreError};

/// How many rows are remembered; others cost an id once more.
const CAPACITY: u64 = 100_000;

/// Rows that this process has written. One that has gone since is noticed when it is changed. Clones
/// share everything.
#[derive(Clone, Debug)]
pub struct KnownRows(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// By hashes of their keys: a row that is taken for another one is like one that has gone.
    rows: Cache<u64, ()>,
    hasher: RandomState,
    collations: OnceCell<Collations>,
}

/// How the text columns of the key compare: an adopted table may have any character set.
#[derive(Debug)]
pub(super) struct Collations {
    pub live_id: String,
    pub user_id: String,
    pub biz_id: String,
}

/// Aggregates, so that there is one row.
const COLLATIONS: &str = "SELECT COLLATION(MAX(live_id)) AS live_id, COLLATION(MAX(user_id)) AS user_id, \
     COLLATION(MAX(biz_id)) AS biz_id FROM stats_single_live WHERE 1 = 0";

impl Default for KnownRows {
    fn default() -> Self {
        let rows = Cache::new(CAPACITY);
        Self(Arc::new(Inner { rows, hasher: RandomState::new(), collations: OnceCell::new() }))
    }
}

impl KnownRows {
    /// Whether the row of `key` was there, and an `UPDATE` saves an id.
    pub(super) fn has(&self, db: &Db, key: CountKey<'_>) -> bool {
        db.dialect() == Dialect::MySql && self.knows(key)
    }

    /// Whether the row of `key` was there.
    #[must_use]
    pub fn knows(&self, key: CountKey<'_>) -> bool {
        self.0.rows.get(&self.hash(key)).is_some()
    }

    /// Remembers that the row of `key` is there.
    pub(super) fn note(&self, key: CountKey<'_>) {
        self.0.rows.insert(self.hash(key), ());
    }

    /// Forgets the row of `key`.
    pub fn forget(&self, key: CountKey<'_>) {
        self.0.rows.invalidate(&self.hash(key));
    }

    /// How the columns of the key compare, asked for once.
    pub(super) async fn collations(
        &self,
        db: &Db,
        tx: &impl ConnectionTrait,
    ) -> Result<&Collations, StoreError> {
        let ask = async {
            let asked = Statement::from_string(db.dialect().backend(), COLLATIONS);
            let row = tx.query_one_raw(asked).await?;
            let row =
                row.ok_or_else(|| StoreError::Setup("stats_single_live has no collation".to_owned()))?;
            let of = |column| row.try_get("", column);
            Ok(Collations { live_id: of("live_id")?, user_id: of("user_id")?, biz_id: of("biz_id")? })
        };
        self.0.collations.get_or_try_init(|| ask).await
    }

    fn hash(&self, key: CountKey<'_>) -> u64 {
        let CountKey { statistic, live_id, user_id, biz_id } = key;
        self.0.hasher.hash_one((statistic, live_id, user_id, biz_id))
    }
}
