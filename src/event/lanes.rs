//! Lanes: each room's events in their order, and how far each consumer has come with them.
//!
//! A consumer has four columns of `room_lane`. `done`: everything up to this number is settled.
//! `due`: when the lane is to be looked at next, NULL when nothing is waiting; an append sets it where
//! it is NULL. A claim moves it to the end of the claim's lease, so that a lane whose owner died is due
//! again by itself. `owner`: the claim; whatever is written about a lane is conditional on it, so that
//! an owner that slept through its lease can change nothing late. `attempts`: of the next event.
//!
//! All times are the database's, so that the clocks of the nodes do not matter.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use sea_orm::sea_query::{Condition, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, Statement, Value};

use super::StoredEvent;
use super::group::Group;
use common::clock::millis;
use store::db::{BulkUpdate, Db, StoreError, Tx, padded, placeholders};
use store::entity::event_log;

/// A lane that is ours for a while.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The room.
    pub live_id: String,
    /// The last event's number.
    pub seq: i64,
    /// Everything up to here is settled.
    pub done: i64,
    /// How often the next event failed.
    pub attempts: i32,
    /// Names this claim, and no other ever.
    pub owner: String,
    /// From here on the lane may be another's.
    pub until: Instant,
}

/// How a claim ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The room.
    pub live_id: String,
    /// [`Claim::owner`].
    pub owner: String,
    /// Everything up to here is settled.
    pub done: i64,
    /// How often the next event failed.
    pub attempts: i32,
    /// How long the lane is to rest, if more is waiting in it.
    pub pause: Duration,
}

/// The lanes, as one consumer sees them. Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    db: Db,
    group: Group,
    node: String,
    lease: Duration,
}

impl Lanes {
    /// The lanes for the consumer `group` on the node `node_id`; each claim lasts for `lease`.
    #[must_use]
    pub fn new(db: Db, group: Group, node_id: u16, lease: Duration) -> Self {
        Self { db, group, node: node_id.to_string(), lease }
    }

    /// Which consumer.
    #[must_use]
    pub fn group(&self) -> Group {
        self.group
    }

    /// The database that they are in.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Whether any lane is due. A look at the end of an index, without a lock.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn is_any_due(&self) -> Result<bool, StoreError> {
        let now = self.db.dialect().now_ms_sql();
        let due = self.group.due;
        let sql = format!("SELECT 1 AS due FROM room_lane WHERE {due} <= {now} LIMIT 1");
        let asked = Statement::from_string(self.db.dialect().backend(), sql);
        Ok(self.db.reader_for(true).query_one_raw(asked).await?.is_some())
    }

    /// Takes up to `limit` lanes, those that have been due for longest; committed on return. Lanes that
    /// another transaction is just writing to are left out.
    ///
    /// # Errors
    /// When the database cannot be reached; lanes that were claimed all the same are due again after a
    /// lease.
    pub async fn claim(&self, limit: usize) -> Result<Vec<Claim>, StoreError> {
        let owner = format!("{}-{:016x}", self.node, rand::random::<u64>());
        let until = Instant::now() + self.lease;
        self.db
            .lazy_transaction(|tx| {
                let owner = owner.clone();
                Box::pin(async move {
                    let claims = self.look(tx, limit, owner, until).await?;
                    self.take(tx, &claims).await?;
                    Ok::<_, StoreError>(claims)
                })
            })
            .await
    }

    async fn look(
        &self,
        tx: &Tx<'_>,
        limit: usize,
        owner: String,
        until: Instant,
    ) -> Result<Vec<Claim>, StoreError> {
        let Group { done, due, attempts, .. } = self.group;
        let sql = format!(
            "SELECT live_id, seq, COALESCE({done}, seq) AS done, {attempts} AS attempts FROM room_lane \
             WHERE {due} <= {now} ORDER BY {due} LIMIT {limit}{lock}",
            now = tx.dialect().now_ms_sql(),
            lock = tx.dialect().claim_lock_sql(),
        );
        let rows = tx.query_all_raw(Statement::from_string(tx.get_database_backend(), sql)).await?;
        let claims = rows.iter().map(|row| {
            Ok(Claim {
                live_id: row.try_get("", "live_id")?,
                seq: row.try_get("", "seq")?,
                done: row.try_get("", "done")?,
                attempts: row.try_get("", "attempts")?,
                owner: owner.clone(),
                until,
            })
        });
        claims.collect()
    }

    async fn take(&self, tx: &Tx<'_>, claims: &[Claim]) -> Result<(), StoreError> {
        let Some(first) = claims.first() else { return Ok(()) };
        let Group { due, owner, .. } = self.group;
        let ids: Vec<&str> = claims.iter().map(|claim| claim.live_id.as_str()).collect();
        let ids = padded(&ids);
        let sql = format!(
            "UPDATE room_lane SET {due} = {now} + ?, {owner} = ? WHERE live_id IN ({})",
            placeholders(ids.len()),
            now = tx.dialect().now_ms_sql(),
        );
        let values = [millis(self.lease).into(), first.owner.as_str().into()];
        let values = values.into_iter().chain(ids.iter().map(|live_id| Value::from(*live_id)));
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
        Ok(())
    }

    /// The next events of each claim, at most `per_lane` of a lane, by room: an entry for each. One statement.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn read(
        &self,
        claims: &[Claim],
        per_lane: i64,
    ) -> Result<HashMap<String, Vec<StoredEvent>>, StoreError> {
        use event_log::Column;
        let mut wanted = Condition::any();
        for claim in padded(claims).iter() {
            let range = Column::Seq.between(claim.done + 1, claim.last(per_lane));
            wanted = wanted.add(Column::LiveId.eq(&claim.live_id).and(range));
        }
        let mut by_room: HashMap<String, Vec<StoredEvent>> =
            claims.iter().map(|claim| (claim.live_id.clone(), Vec::new())).collect();
        if claims.is_empty() {
            return Ok(by_room);
        }
        for event in StoredEvent::find(&self.db, wanted).await? {
            by_room.entry(event.live_id.clone()).or_default().push(event);
        }
        for events in by_room.values_mut() {
            events.sort_unstable_by_key(|event| event.seq);
        }
        Ok(by_room)
    }

    /// Writes how claims ended, and frees them; those that are another's by now are left alone. One
    /// statement; answers how many it met.
    ///
    /// # Errors
    /// When the database cannot be reached, or another transaction is in the way.
    pub async fn finish(
        &self,
        conn: &impl ConnectionTrait,
        finished: &[Finished],
    ) -> Result<u64, StoreError> {
        let Group { done, due, owner, attempts, .. } = self.group;
        let rest = format!("CASE WHEN seq > ? THEN {} + ? END", self.db.dialect().now_ms_sql());
        let rows: Vec<_> = finished
            .iter()
            .map(|lane| {
                let rest = vec![lane.done.into(), millis(lane.pause).into()];
                let set = vec![rest, vec![lane.done.into()], vec![lane.attempts.into()]];
                (lane.live_id.as_str().into(), lane.owner.as_str().into(), set)
            })
            .collect();
        let update = BulkUpdate {
            table: "room_lane",
            key: "live_id",
            guard: owner,
            set: &[(due, &rest), (done, "?"), (attempts, "?")],
            set_all: &format!("{owner} = NULL"),
        };
        update.run(conn, &rows).await
    }

    /// The rooms of those claims that are still ours; they stay so until `tx` ends.
    ///
    /// # Errors
    /// When the database cannot be asked, or another transaction is in the way.
    pub async fn still_ours(
        &self,
        tx: &Tx<'_>,
        finished: &[Finished],
    ) -> Result<HashSet<String>, StoreError> {
        let owner = self.group.owner;
        let lanes = padded(finished);
        let mut wanted = format!("(live_id = ? AND {owner} = ?) OR ").repeat(lanes.len());
        wanted.truncate(wanted.len().saturating_sub(" OR ".len()));
        let sql = format!("SELECT live_id FROM room_lane WHERE {wanted}{}", tx.dialect().update_lock_sql());
        let values: Vec<Value> = lanes
            .iter()
            .flat_map(|lane| [lane.live_id.as_str().into(), lane.owner.as_str().into()])
            .collect();
        let asked = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        let rows = tx.query_all_raw(asked).await?;
        Ok(rows.iter().map(|row| row.try_get("", "live_id")).collect::<Result<_, _>>()?)
    }

    /// Settles all events of up to `limit` due lanes without a look at them; answers of how many lanes.
    /// For a consumer that is switched off, so that it has no history to catch up with later.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn skip(&self, limit: usize) -> Result<usize, StoreError> {
        let Group { done, due, owner, attempts, .. } = self.group;
        self.db
            .lazy_transaction(|tx| {
                Box::pin(async move {
                    let claims = self.look(tx, limit, String::new(), Instant::now()).await?;
                    if claims.is_empty() {
                        return Ok(0);
                    }
                    let ids: Vec<Value> = claims.iter().map(|claim| claim.live_id.as_str().into()).collect();
                    let ids = padded(&ids);
                    let sql = format!(
                        "UPDATE room_lane SET {done} = seq, {due} = NULL, {owner} = NULL, {attempts} = 0 \
                         WHERE live_id IN ({})",
                        placeholders(ids.len())
                    );
                    let backend = tx.get_database_backend();
                    tx.execute_raw(Statement::from_sql_and_values(backend, sql, ids.iter().cloned())).await?;
                    Ok::<_, StoreError>(claims.len())
                })
            })
            .await
    }
}

impl Claim {
    /// The number of the last event that one look at the lane covers, if that is `per_lane` events.
    #[must_use]
    pub fn last(&self, per_lane: i64) -> i64 {
        Ord::min(self.seq, self.done.saturating_add(per_lane))
    }
}
