//! The statements on one node's row of `node_registry`. All times are the database's.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use super::owner::Owner;
use crate::db::{Db, Dialect, StoreError};
use crate::raise::Raise;
use common::clock::millis;

/// How far ahead of its use the range of ids is reserved, in milliseconds.
pub(super) const AHEAD_MS: i64 = 5_000;
/// How much is reserved at least beyond a mark that is ahead of the time. Little, so that a server
/// that crashes again and again does not run further and further ahead.
const STEP_MS: i64 = 1_000;

/// One node's row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) db: Db,
    pub(super) node_id: u16,
    pub(super) owner: Owner,
    pub(super) lease: Duration,
}

/// What a node tells of itself with each renewal.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// When it last failed to store a heartbeat in the cache; 0: never.
    pub(super) cache_failed_ms: i64,
    /// What it counts, as JSON.
    pub(super) report: String,
}

/// What the row says, and the time at which it says it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) now_ms: i64,
    /// None when the node was never registered.
    pub(super) held: Option<Held>,
}

/// A row of the registry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) owner: Owner,
    pub(super) until_ms: i64,
    pub(super) mark_ms: i64,
}

/// The ids that are reserved, from and to which millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reserved {
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

impl Seen {
    /// What a new owner may issue: above all that the former one reserved, and not before now.
    fn range(&self) -> Reserved {
        let mark_ms = self.held.as_ref().map_or(0, |held| held.mark_ms);
        let from_ms = self.now_ms.max(mark_ms.saturating_add(1));
        let until_ms = self.now_ms.saturating_add(AHEAD_MS).max(from_ms.saturating_add(STEP_MS));
        Reserved { from_ms, until_ms }
    }
}

impl Row {
    fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    fn lease_ms(&self) -> i64 {
        millis(self.lease)
    }

    /// Reads the row.
    pub(super) async fn look(&self) -> Result<Seen, StoreError> {
        let sql = format!(
            "SELECT {now} AS now_ms, r.owner, r.lease_until_ms, r.id_high_water_ms \
             FROM (SELECT 1 AS one) AS o LEFT JOIN node_registry AS r ON r.node_id = ?",
            now = self.dialect().now_ms_sql(),
        );
        let statement =
            Statement::from_sql_and_values(self.dialect().backend(), sql, [i32::from(self.node_id).into()]);
        let row = self.db.writer().query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the database's clock".to_owned()))?;
        let owner: Option<String> = row.try_get("", "owner")?;
        let held = match owner {
            None => None,
            Some(owner) => Some(Held {
                owner: Owner::stored(owner),
                until_ms: row.try_get("", "lease_until_ms")?,
                mark_ms: row.try_get("", "id_high_water_ms")?,
            }),
        };
        Ok(Seen { now_ms: row.try_get("", "now_ms")?, held })
    }

    /// Takes the row over if it still is what was `seen`; None when somebody was faster.
    pub(super) async fn claim(&self, seen: &Seen, state: &State) -> Result<Option<Reserved>, StoreError> {
        let range = seen.range();
        let is_ours = match &seen.held {
            Some(held) => self.replace(held, range, state).await?,
            None => self.insert(range, state).await?,
        };
        Ok(is_ours.then_some(range))
    }

    async fn replace(&self, held: &Held, range: Reserved, state: &State) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE node_registry SET owner = ?, lease_until_ms = {now} + ?, id_high_water_ms = ?, \
             cache_failed_ms = COALESCE(NULLIF(?, 0), cache_failed_ms), report = ?, version = ?, \
             updated_ms = {now} \
             WHERE node_id = ? AND owner = ? AND lease_until_ms = ? AND id_high_water_ms = ?",
            now = self.dialect().now_ms_sql(),
        );
        let values: [Value; 10] = [
            self.owner.as_str().into(),
            self.lease_ms().into(),
            range.until_ms.into(),
            state.cache_failed_ms.into(),
            state.report.as_str().into(),
            version().into(),
            i32::from(self.node_id).into(),
            held.owner.as_str().into(),
            held.until_ms.into(),
            held.mark_ms.into(),
        ];
        Ok(self.execute(sql, values).await? > 0)
    }

    async fn insert(&self, range: Reserved, state: &State) -> Result<bool, StoreError> {
        let sql = format!(
            "INSERT INTO node_registry (node_id, owner, lease_until_ms, id_high_water_ms, cache_failed_ms, \
             report, version, updated_ms) VALUES (?, ?, {now} + ?, ?, ?, ?, ?, {now})",
            now = self.dialect().now_ms_sql(),
        );
        let values: [Value; 7] = [
            i32::from(self.node_id).into(),
            self.owner.as_str().into(),
            self.lease_ms().into(),
            range.until_ms.into(),
            state.cache_failed_ms.into(),
            state.report.as_str().into(),
            version().into(),
        ];
        match self.execute(sql, values).await {
            Ok(_) => Ok(true),
            Err(StoreError::Duplicate { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Holds the row for another lease and reserves ids for the next seconds, above `last_ms`, the
    /// last one in use. None when the row is another's.
    pub(super) async fn renew(&self, last_ms: i64, state: &State) -> Result<Option<Reserved>, StoreError> {
        let (now, greatest) = (self.dialect().now_ms_sql(), greatest(self.dialect()));
        let conn = self.db.writer();
        let raise = Raise::new(conn, "id_high_water_ms");
        let mark = raise.value(&format!("{greatest}(id_high_water_ms, {now} + {AHEAD_MS}, ?)"));
        let sql = format!(
            "UPDATE node_registry SET id_high_water_ms = {mark}, lease_until_ms = {now} + ?, \
             cache_failed_ms = COALESCE(NULLIF(?, 0), cache_failed_ms), report = ?, version = ?, \
             updated_ms = {now} WHERE node_id = ? AND owner = ?"
        );
        let values = vec![
            last_ms.saturating_add(AHEAD_MS).into(),
            self.lease_ms().into(),
            state.cache_failed_ms.into(),
            state.report.as_str().into(),
            version().into(),
            i32::from(self.node_id).into(),
            self.owner.as_str().into(),
        ];
        let mark = raise.run(conn, sql, values).await?;
        Ok(mark.map(|until_ms| Reserved { from_ms: until_ms.saturating_sub(AHEAD_MS), until_ms }))
    }

    /// Frees the row for the next owner, who may issue ids above `last_ms`.
    pub(super) async fn release(&self, last_ms: i64) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE node_registry SET lease_until_ms = 0, id_high_water_ms = ?, updated_ms = {now} \
             WHERE node_id = ? AND owner = ?",
            now = self.dialect().now_ms_sql(),
        );
        let values: [Value; 3] = [last_ms.into(), i32::from(self.node_id).into(), self.owner.as_str().into()];
        self.execute(sql, values).await.map(|_| ())
    }

    async fn execute(&self, sql: String, values: impl IntoIterator<Item = Value>) -> Result<u64, StoreError> {
        let statement = Statement::from_sql_and_values(self.dialect().backend(), sql, values);
        Ok(self.db.writer().execute_raw(statement).await?.rows_affected())
    }
}

/// The name of the function that answers the greatest of its arguments.
fn greatest(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MySql => "GREATEST",
        Dialect::Sqlite => "MAX",
    }
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
