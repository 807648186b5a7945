//! The registry of nodes: which process is which node, and which ids it may issue.
//!
//! A node holds its row in `node_registry` with a lease by the database's clock, and with each
//! renewal reserves the ids of the next seconds ([`common::id`]). A starter waits for a lease that is
//! not renewed, and refuses to start beside one that is. It does not wait for a process that it can
//! see to be dead, nor for one that stopped in good order, nor on an embedded database, whose data
//! directory only one process can have.

mod claim;
mod owner;
mod receivers;
mod renewal;
mod row;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::claim::{Claim, Claimed};
use self::owner::Owner;
pub use self::receivers::{note_callbacks, other_with_callbacks};
use self::row::{Held, Row};
use super::db::{Db, StoreError};
use super::entity::node_registry::{Column, Entity};
use common::id::IdGenerator;
use common::supervise;

/// How often a starter looks whether the lease that it waits for has passed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why the node could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another process is this node, and lives.
    #[error(
        "node_id {node_id} is in use by a running server (host {host}, process {pid}); stop that one, \
         or give this one another node.node_id"
    )]
    InUse {
        /// The node.
        node_id: u16,
        /// The other process's host.
        host: String,
        /// Its process id on that host.
        pid: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a node tells of itself in its row, asked with each renewal.
pub trait NodeState: Send + Sync + 'static {
    /// When it last failed to store a heartbeat in the cache, in Unix milliseconds.
    fn cache_failed_ms(&self) -> Option<i64>;

    /// What it counts, as JSON of a few kilobytes; empty for nothing.
    fn report(&self) -> String {
        String::new()
    }
}

/// A node that counts nothing.
impl<F: Fn() -> Option<i64> + Send + Sync + 'static> NodeState for F {
    fn cache_failed_ms(&self) -> Option<i64> {
        self()
    }
}

/// This process's registration as a node. It is renewed in the background until it is released or
/// dropped; after a drop it runs out by itself.
pub struct NodeLease {
    row: Row,
    ids: Arc<IdGenerator>,
    registration: Registration,
    stop: CancellationToken,
    renewal: JoinHandle<()>,
}

/// Whether the last renewal of a registration went well: the database took a write of this node, seconds ago
/// at most. Clones are of the same registration.
#[derive(Clone, Debug)]
pub struct Registration(Arc<AtomicBool>);

impl Registration {
    /// One that was just made.
    fn fresh() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    fn note(&self, is_renewed: bool) {
        self.0.store(is_renewed, Ordering::Relaxed);
    }

    /// Whether it did.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl NodeLease {
    /// Registers this process as `node_id` and lets `ids` issue. `lease` is how long the
    /// registration outlives a process that dies; `state` is what the row tells of this node besides.
    ///
    /// # Errors
    /// [`RegistryError::InUse`] when another living process is this node.
    pub async fn acquire(
        db: &Db,
        node_id: u16,
        lease: Duration,
        ids: Arc<IdGenerator>,
        state: impl NodeState,
    ) -> Result<Self, RegistryError> {
        let row = Row { db: db.clone(), node_id, owner: Owner::of_this_process(), lease };
        let claim = Claim { row: row.clone(), ids: Arc::clone(&ids), state: Box::new(state) };
        let mut before: Option<Held> = None;
        while let Claimed::HeldBy { held, left } = claim.attempt().await? {
            if before.as_ref().is_some_and(|before| *before != held) {
                return Err(claim.in_use(&held));
            }
            if before.is_none() {
                let (host, pid, left_ms) = (held.owner.host(), held.owner.pid(), left.as_millis());
                tracing::warn!(
                    node_id,
                    host,
                    pid,
                    left_ms,
                    "waiting for a registration of this node to run out"
                );
            }
            before = Some(held);
            sleep(left.min(LOOK_EVERY)).await;
        }
        let (stop, registration) = (CancellationToken::new(), Registration::fresh());
        let renewing = renewal::run(claim, registration.clone(), stop.clone());
        let renewal = supervise::spawn_until("registration", &stop, renewing);
        Ok(Self { row, ids, registration, stop, renewal })
    }

    /// How its renewal goes.
    #[must_use]
    pub fn registration(&self) -> Registration {
        self.registration.clone()
    }

    /// This process, as the registry and the leader's lease name it: no other process, and no other
    /// registration of this one, has or had the same name.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.row.owner.as_str()
    }

    /// Ends issuing ids and gives the registration back, so that the next start need not wait and
    /// continues right above the last id.
    ///
    /// # Errors
    /// When the database cannot be reached; the registration then runs out by itself.
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.stop.cancel();
        // A renewal under way must have ended: it would take the row again.
        let _ = (&mut self.renewal).await;
        self.row.release(self.ids.stop()).await
    }
}

impl Drop for NodeLease {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A node that is registered, and whose lease has not passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliveNode {
    /// The node, 0 to 1023.
    pub node_id: i32,
    /// The process ([`NodeLease::owner`]).
    pub owner: String,
    /// Until when it is registered, Unix milliseconds by the database's clock.
    pub lease_until_ms: i64,
    /// How long ago it was heard of, in milliseconds by the database's clock.
    pub seen_ms_ago: i64,
    /// When it last failed to store a heartbeat in the cache, Unix milliseconds.
    pub cache_failed_ms: Option<i64>,
    /// Version of its server.
    pub version: String,
    /// What it counts ([`NodeState::report`]); None of a node that does not tell.
    pub report: Option<String>,
}

impl AliveNode {
    /// The name of its host.
    #[must_use]
    pub fn host(&self) -> String {
        Owner::stored(self.owner.clone()).host().to_owned()
    }

    /// Its process id, as text.
    #[must_use]
    pub fn pid(&self) -> String {
        Owner::stored(self.owner.clone()).pid().to_owned()
    }
}

/// The nodes whose lease has not passed, by node id. One statement.
///
/// # Errors
/// When the database cannot be reached.
pub async fn alive_nodes(db: &Db) -> Result<Vec<AliveNode>, StoreError> {
    let now = || Expr::cust(db.dialect().now_ms_sql());
    let alive = Entity::find().filter(Expr::col(Column::LeaseUntilMs).gt(now()));
    let with_age = alive.expr_as(now().sub(Expr::col(Column::UpdatedMs)), "seen_ms_ago");
    let rows = with_age.order_by_asc(Column::NodeId).into_model::<Found>().all(db.writer()).await?;
    let nodes = rows.into_iter().map(|row| AliveNode {
        node_id: row.node_id,
        owner: row.owner,
        lease_until_ms: row.lease_until_ms,
        seen_ms_ago: Ord::max(row.seen_ms_ago, 0),
        cache_failed_ms: Some(row.cache_failed_ms).filter(|ms| *ms > 0),
        version: row.version,
        report: row.report,
    });
    Ok(nodes.collect())
}

#[derive(FromQueryResult)]
struct Found {
    node_id: i32,
    owner: String,
    lease_until_ms: i64,
    seen_ms_ago: i64,
    cache_failed_ms: i64,
    version: String,
    report: Option<String>,
}
