//! The row of the lease: its statements, and what is due in view of it. All times are the
//! database's.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use common::clock::millis;
use store::db::{Db, StoreError, Tx};

/// The lease's name in the table.
const NAME: &str = "jobs";

/// The row, as one process sees it.
pub(super) struct Row {
    pub(super) db: Db,
    pub(super) node_id: i32,
    pub(super) preferred: i32,
    pub(super) owner: String,
    pub(super) lease: Duration,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The row is missing.
    Create,
    /// It is ours and stays so.
    Renew { token: i64 },
    /// It is free for us, who get this token.
    Take { token: i64 },
    /// It is ours, and the preferred node is back.
    GiveBack { token: i64 },
    /// It is another's, or not free for us yet.
    Wait,
}

/// What the row says, and the time at which it says it.
#[derive(Debug)]
pub(super) struct Seen {
    now_ms: i64,
    /// The preferred node is registered and alive.
    is_preferred_alive: bool,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    owner: String,
    node_id: i32,
    token: i64,
    expires_ms: i64,
}

/// The node whose lease has not passed.
pub(super) async fn leader(db: &Db) -> Result<Option<i32>, StoreError> {
    let now = db.dialect().now_ms_sql();
    let sql =
        format!("SELECT node_id FROM leader_lease WHERE name = ? AND owner <> '' AND expires_ms > {now}");
    let asked = Statement::from_sql_and_values(db.dialect().backend(), sql, [NAME.into()]);
    let row = db.writer().query_one_raw(asked).await?;
    Ok(row.map(|row| row.try_get("", "node_id")).transpose()?)
}

impl Held {
    /// From when on the process of `row` may take it.
    fn free_at(&self, row: &Row) -> i64 {
        if row.is_preferred() { self.expires_ms } else { self.expires_ms + row.patience_ms() }
    }
}

impl Seen {
    /// How long it is before the process of `row` may take it, unless it is renewed; None when it is its own.
    pub(super) fn free_in(&self, row: &Row) -> Option<Duration> {
        let held = self.held.as_ref().filter(|held| held.owner != row.owner)?;
        let left_ms = held.free_at(row).saturating_sub(self.now_ms);
        Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()))
    }

    /// The token of the last who took it.
    pub(super) fn token(&self) -> Option<i64> {
        self.held.as_ref().map(|held| held.token)
    }

    /// What the process of `row` has to do.
    pub(super) fn step(&self, row: &Row) -> Step {
        let Some(held) = &self.held else { return Step::Create };
        let must_yield = !row.is_preferred() && self.is_preferred_alive;
        if held.owner == row.owner {
            return if must_yield {
                Step::GiveBack { token: held.token }
            } else {
                Step::Renew { token: held.token }
            };
        }
        // The registry lets one process be a node, so a former process of ours is gone or fenced off.
        let is_former_self = held.node_id == row.node_id && !held.owner.is_empty();
        if !must_yield && (is_former_self || held.free_at(row) <= self.now_ms) {
            return Step::Take { token: held.token + 1 };
        }
        Step::Wait
    }
}

impl Row {
    fn is_preferred(&self) -> bool {
        self.node_id == self.preferred
    }

    fn lease_ms(&self) -> i64 {
        millis(self.lease)
    }

    /// For how long a free lease is left to the preferred node: jobs run again within two leases of a leader's
    /// death.
    fn patience_ms(&self) -> i64 {
        self.lease_ms() / 2
    }

    fn now(&self) -> &'static str {
        self.db.dialect().now_ms_sql()
    }

    fn statement(&self, sql: String, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.db.dialect().backend(), sql, values)
    }

    /// Runs an update of the row; whether it met it.
    async fn update(&self, sql: String, values: impl IntoIterator<Item = Value>) -> Result<bool, StoreError> {
        Ok(self.db.writer().execute_raw(self.statement(sql, values)).await?.rows_affected() > 0)
    }

    /// Reads the row and whether the preferred node is alive.
    pub(super) async fn look(&self) -> Result<Seen, StoreError> {
        let sql = format!(
            "SELECT {now} AS now_ms, l.owner, l.node_id, l.token, l.expires_ms, \
             (SELECT COUNT(*) FROM node_registry AS r WHERE r.node_id = ? AND r.lease_until_ms > {now}) \
             AS preferred_alive \
             FROM (SELECT 1 AS one) AS o LEFT JOIN leader_lease AS l ON l.name = ?",
            now = self.now(),
        );
        let asked = self.statement(sql, [self.preferred.into(), NAME.into()]);
        let row = self.db.writer().query_one_raw(asked).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the database's clock".to_owned()))?;
        let alive: i64 = row.try_get("", "preferred_alive")?;
        let owner: Option<String> = row.try_get("", "owner")?;
        let held = match owner {
            None => None,
            Some(owner) => Some(Held {
                owner,
                node_id: row.try_get("", "node_id")?,
                token: row.try_get("", "token")?,
                expires_ms: row.try_get("", "expires_ms")?,
            }),
        };
        Ok(Seen { now_ms: row.try_get("", "now_ms")?, is_preferred_alive: alive > 0, held })
    }

    /// Makes the row, free as of now, unless another node just did.
    pub(super) async fn create(&self) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO leader_lease (name, owner, node_id, token, expires_ms) VALUES (?, '', ?, 0, {now})",
            now = self.now(),
        );
        match self.update(sql, [NAME.into(), self.node_id.into()]).await {
            Ok(_) | Err(StoreError::Duplicate { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Holds it for another lease; false when it is another's.
    pub(super) async fn renew(&self, token: i64) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE leader_lease SET expires_ms = {now} + ? WHERE name = ? AND owner = ? AND token = ?",
            now = self.now(),
        );
        let values = [self.lease_ms().into(), NAME.into(), self.owner.as_str().into(), token.into()];
        self.update(sql, values).await
    }

    /// Takes it, if it still is what was `seen`.
    pub(super) async fn take(&self, seen: &Seen, token: i64) -> Result<bool, StoreError> {
        let Some(held) = &seen.held else { return Ok(false) };
        let sql = format!(
            "UPDATE leader_lease SET owner = ?, node_id = ?, token = ?, expires_ms = {now} + ? \
             WHERE name = ? AND owner = ? AND token = ? AND expires_ms = ?",
            now = self.now(),
        );
        let values: [Value; 8] = [
            self.owner.as_str().into(),
            self.node_id.into(),
            token.into(),
            self.lease_ms().into(),
            NAME.into(),
            held.owner.as_str().into(),
            held.token.into(),
            held.expires_ms.into(),
        ];
        self.update(sql, values).await
    }

    /// Frees it, if it is ours. The others wait a while for the return of the preferred node; after another
    /// node they need not wait.
    pub(super) async fn give_back(&self) -> Result<(), StoreError> {
        let waited_ms = if self.is_preferred() { 0 } else { self.patience_ms() };
        let sql = format!(
            "UPDATE leader_lease SET owner = '', expires_ms = {now} - ? WHERE name = ? AND owner = ?",
            now = self.now(),
        );
        let values = [waited_ms.into(), NAME.into(), self.owner.as_str().into()];
        self.update(sql, values).await.map(|_| ())
    }

    /// Whether it still is ours under `token`; if so it stays so until the end of `tx`.
    pub(super) async fn is_still_ours(&self, tx: &Tx<'_>, token: i64) -> Result<bool, StoreError> {
        let lock = self.db.dialect().share_lock_sql();
        let sql = format!("SELECT owner, token FROM leader_lease WHERE name = ?{lock}");
        let row = tx.query_one_raw(self.statement(sql, [NAME.into()])).await?;
        let Some(row) = row else { return Ok(false) };
        let (owner, now_token): (String, i64) = (row.try_get("", "owner")?, row.try_get("", "token")?);
        Ok(owner == self.owner && now_token == token)
    }
}
