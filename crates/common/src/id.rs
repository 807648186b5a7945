//! Snowflake ids: 41 bits of milliseconds since 1288834974657, 10 bits of node id, 12 bits of sequence.
//!
//! An id is never issued twice, whatever the clock does. Ids follow a *logical* millisecond that only
//! goes forward, inside the range that this node has reserved in the database
//! ([`store::registry`]); the next owner of the node id starts above that range. So a clock that
//! steps back, in a running process or across a restart, costs neither uniqueness nor a wait: ids then
//! run ahead of the clock, by no more than the reserved range.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ferroid::generator::{AtomicSnowflakeGenerator, Poll};
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::TimeSource;

use crate::clock::SharedClock;
use crate::failure::{Failure, Kind};

/// Millisecond zero of the ids, in Unix milliseconds (4 November 2010, the epoch of Twitter's snowflake).
pub const EPOCH_MS: i64 = 1_288_834_974_657;

/// The highest node id that fits.
pub const MAX_NODE_ID: u16 = 1023;

/// Why no id was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The node id does not fit into its 10 bits.
    #[error("node_id {0} is not within 0..=1023")]
    NodeId(u16),
    /// This node is not registered, or could not renew its registration in time.
    #[error("this node's registration has lapsed, so it issues no ids")]
    NoLease,
    /// All ids up to the reserved mark are issued.
    #[error("the reserved range of ids is used up until the next renewal")]
    UsedUp,
}

impl Failure for IdError {
    fn kind(&self) -> Kind {
        match self {
            Self::NodeId(_) => Kind::Invalid,
            Self::NoLease | Self::UsedUp => Kind::Unavailable,
        }
    }
}

/// Issues the ids of one node; shared by all that need ids.
pub struct IdGenerator {
    time: LogicalTime,
    snowflakes: AtomicSnowflakeGenerator<SnowflakeTwitterId, LogicalTime>,
}

impl IdGenerator {
    /// A generator for `node_id` (0..=1023) that issues nothing until [`Self::allow`] is called.
    ///
    /// # Errors
    /// [`IdError::NodeId`] when the node id is above 1023.
    pub fn new(node_id: u16, clock: SharedClock) -> Result<Self, IdError> {
        if node_id > MAX_NODE_ID {
            return Err(IdError::NodeId(node_id));
        }
        let time = LogicalTime(Arc::new(Reserved::new(clock)));
        let snowflakes = AtomicSnowflakeGenerator::new(u64::from(node_id), time.clone());
        Ok(Self { time, snowflakes })
    }

    /// The next id, below 2^63 and above every id issued before by this generator.
    ///
    /// Lock-free and without allocation. A millisecond holds 4096 ids; when they are used up the
    /// logical time moves on, so that a burst does not wait.
    ///
    /// # Errors
    /// [`IdError::NoLease`] and [`IdError::UsedUp`], both of which pass with the next renewal.
    pub fn next(&self) -> Result<u64, IdError> {
        let reserved = &self.time.0;
        loop {
            reserved.check_lease()?;
            let now = reserved.tick();
            reserved.check_mark(now)?;
            match self.snowflakes.poll_id() {
                // Checked again: an id must not leave after `stop` has told the last millisecond.
                Poll::Ready { id } => return reserved.check_mark(id.timestamp()).map(|()| id.to_raw()),
                Poll::Pending { yield_for: 0 } => std::hint::spin_loop(),
                Poll::Pending { .. } => reserved.leave(now),
            }
        }
    }

    /// Allows ids from `floor_ms` up to and including `until_ms` (Unix milliseconds), until
    /// `lease_deadline`.
    ///
    /// The caller has reserved them for this process: `floor_ms` is above all that another owner of
    /// this node id may have issued. Neither bound is ever lowered by a later call.
    pub fn allow(&self, floor_ms: i64, until_ms: i64, lease_deadline: Instant) {
        let reserved = &self.time.0;
        // The floor comes first: with the mark alone a slow clock could issue from before the floor.
        reserved.now.fetch_max(since_epoch(floor_ms), Ordering::SeqCst);
        reserved.until.fetch_max(since_epoch(until_ms), Ordering::SeqCst);
        reserved.deadline_ns.store(reserved.since_start(lease_deadline), Ordering::SeqCst);
    }

    /// Ends issuing, and returns the last millisecond (Unix) that an issued id may carry.
    pub fn stop(&self) -> i64 {
        let reserved = &self.time.0;
        reserved.deadline_ns.store(0, Ordering::SeqCst);
        reserved.until.store(0, Ordering::SeqCst);
        self.last_ms()
    }

    /// The last millisecond (Unix) that an issued id may carry; [`EPOCH_MS`] when there is none.
    #[must_use]
    pub fn last_ms(&self) -> i64 {
        i64::try_from(self.time.0.now.load(Ordering::SeqCst))
            .map_or(i64::MAX, |ms| ms.saturating_add(EPOCH_MS))
    }
}

/// Milliseconds since [`EPOCH_MS`] of an instant in Unix milliseconds, kept within 41 bits.
fn since_epoch(unix_ms: i64) -> u64 {
    let ms = u64::try_from(unix_ms.saturating_sub(EPOCH_MS)).unwrap_or(0);
    ms.min(SnowflakeTwitterId::max_timestamp())
}

/// The range that may be issued, and where in it we are. Milliseconds count from [`EPOCH_MS`].
struct Reserved {
    clock: SharedClock,
    /// The logical millisecond; never lowered.
    now: AtomicU64,
    /// The last millisecond that may be issued; 0 = none.
    until: AtomicU64,
    /// End of the lease in nanoseconds since `start`; 0 = no lease.
    deadline_ns: AtomicU64,
    start: Instant,
}

impl Reserved {
    fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            now: AtomicU64::new(0),
            until: AtomicU64::new(0),
            deadline_ns: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    fn since_start(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    fn check_lease(&self) -> Result<(), IdError> {
        let left = self.since_start(Instant::now()) < self.deadline_ns.load(Ordering::SeqCst);
        if left { Ok(()) } else { Err(IdError::NoLease) }
    }

    fn check_mark(&self, ms: u64) -> Result<(), IdError> {
        if ms <= self.until.load(Ordering::SeqCst) { Ok(()) } else { Err(IdError::UsedUp) }
    }

    /// The logical millisecond, moved up to the wall clock's. A wall clock beyond the reserved range
    /// is not followed: the range moves on with the database's clock and takes the ids along.
    fn tick(&self) -> u64 {
        let wall = since_epoch(self.clock.now_ms());
        if wall > self.until.load(Ordering::SeqCst) {
            return self.now.load(Ordering::SeqCst);
        }
        self.now.fetch_max(wall, Ordering::SeqCst).max(wall)
    }

    /// Moves on from a used-up millisecond, unless someone else did.
    fn leave(&self, ms: u64) {
        let _ = self.now.compare_exchange(ms, ms + 1, Ordering::SeqCst, Ordering::SeqCst);
    }
}

/// The logical time as ferroid's source of time.
#[derive(Clone)]
struct LogicalTime(Arc<Reserved>);

impl TimeSource<u64> for LogicalTime {
    fn current_millis(&self) -> u64 {
        self.0.tick()
    }
}
