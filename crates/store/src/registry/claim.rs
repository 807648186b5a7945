//! Taking a node's row, at the start or after it was lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::row::{Held, Reserved, Row, Seen, State};
use super::{NodeState, RegistryError};
use crate::db::{Dialect, StoreError};
use common::id::IdGenerator;

/// A process that wants to be, or is, a node.
pub(super) struct Claim {
    pub(super) row: Row,
    pub(super) ids: Arc<IdGenerator>,
    pub(super) state: Box<dyn NodeState>,
}

/// What came of an attempt.
pub(super) enum Claimed {
    /// The row is ours, and ids may be issued.
    Ours,
    /// Another process holds it, and its lease has this long left.
    HeldBy { held: Held, left: Duration },
}

impl Claim {
    /// Takes the row if nobody holds it: two statements, or one when somebody does.
    pub(super) async fn attempt(&self) -> Result<Claimed, StoreError> {
        loop {
            let asked = Instant::now();
            let seen = self.row.look().await?;
            if let Some(left) = self.time_left(&seen)
                && let Some(held) = seen.held
            {
                return Ok(Claimed::HeldBy { held, left });
            }
            // When somebody was faster, the row is looked at again.
            if let Some(range) = self.row.claim(&seen, &self.state()).await? {
                self.allow(range, asked);
                return Ok(Claimed::Ours);
            }
        }
    }

    /// Holds the row for another lease; false when it is not ours any more.
    pub(super) async fn renew(&self) -> Result<bool, StoreError> {
        let asked = Instant::now();
        let range = self.row.renew(self.ids.last_ms(), &self.state()).await?;
        if let Some(range) = range {
            self.allow(range, asked);
        }
        Ok(range.is_some())
    }

    /// The error that names `held`.
    pub(super) fn in_use(&self, held: &Held) -> RegistryError {
        let (host, pid) = (held.owner.host().to_owned(), held.owner.pid().to_owned());
        RegistryError::InUse { node_id: self.row.node_id, host, pid }
    }

    /// How long the holder's lease lasts; None when nobody holds the node: it was never registered,
    /// given back, has run out, or its process is dead. Who has an embedded database is alone.
    fn time_left(&self, seen: &Seen) -> Option<Duration> {
        let held = seen.held.as_ref()?;
        let left_ms = u64::try_from(held.until_ms.saturating_sub(seen.now_ms)).ok().filter(|ms| *ms > 0)?;
        let is_held = self.row.db.dialect() != Dialect::Sqlite && !held.owner.has_ended();
        is_held.then(|| Duration::from_millis(left_ms))
    }

    fn state(&self) -> State {
        State { cache_failed_ms: self.state.cache_failed_ms().unwrap_or(0), report: self.state.report() }
    }

    /// `asked` is when the statement was sent, so no later than when the database began to count.
    fn allow(&self, range: Reserved, asked: Instant) {
        self.ids.allow(range.from_ms, range.until_ms, asked + self.row.lease);
    }
}
