//! The leader's lease: which node does the work that only one may do.
//!
//! One row of `leader_lease`, by the database's clock. The preferred node (`cron.single_task_node`)
//! takes it as soon as it is free. Another node takes it when the preferred one is not registered
//! and the lease has been free for half its time, and gives it back when that node returns. The
//! token grows with each change of owner; every transaction of a job checks it ([`Fence`]), so that
//! a former leader that slept through the change can do nothing late.

mod row;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{Opts, Registry};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::row::{Row, Step};
use common::crash;
use store::db::{Db, StoreError, Tx};
use store::fence::{Fence, LeaseLost};
use telemetry::asked;

/// Pause after a failure, so that there is a leader again soon after the database is back; and while a change is
/// due.
const SOON: Duration = Duration::from_millis(250);

/// The node that leads, whichever it is; None while there is none.
///
/// # Errors
/// When the database cannot be reached.
pub async fn leader(db: &Db) -> Result<Option<i32>, StoreError> {
    row::leader(db).await
}

/// This node's part in the choice of the leader.
pub struct LeaderLease {
    row: Row,
    lease: Duration,
    leadership: Mutex<Option<Leadership>>,
    /// The token while this node leads.
    term: watch::Sender<Option<i64>>,
    /// The row's token, as it was last seen.
    token: AtomicI64,
    /// How often this node began to lead.
    taken: AtomicU64,
    /// Runs of jobs under way.
    runs: AtomicUsize,
    /// Held while the row is dealt with; true once the lease was given back for good.
    turn: tokio::sync::Mutex<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Leadership {
    token: i64,
    since: Instant,
    /// From here on another node may lead.
    until: Instant,
    /// It is to be given back as soon as no job runs.
    is_yielding: bool,
}

impl Leadership {
    fn holds(&self) -> bool {
        !self.is_yielding && Instant::now() < self.until
    }
}

/// A run of a job, from its beginning to when this is dropped.
pub struct Run(Arc<LeaderLease>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.runs.fetch_sub(1, Ordering::Relaxed);
    }
}

impl LeaderLease {
    /// The lease as the process `owner` ([`store::registry::NodeLease::owner`]) sees it, which
    /// is node `node_id`; `preferred` is the node that should lead.
    #[must_use]
    pub fn new(db: Db, node_id: u16, preferred: u16, owner: String, lease: Duration) -> Self {
        let row = Row { db, node_id: node_id.into(), preferred: preferred.into(), owner, lease };
        Self {
            row,
            lease,
            leadership: Mutex::default(),
            token: AtomicI64::new(0),
            taken: AtomicU64::new(0),
            term: watch::Sender::new(None),
            runs: AtomicUsize::new(0),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Registers `liveloom_leader`, `liveloom_leader_changes_total` and `liveloom_leader_token`.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn register(self: &Arc<Self>, registry: &Registry) -> prometheus::Result<()> {
        let (leads, taken, token) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        let opts = Opts::new("liveloom_leader", "1 while this node leads, else 0.");
        asked::gauge(registry, opts, move || leads.is_leader().into())?;
        let opts = Opts::new("liveloom_leader_changes_total", "How often this node began to lead.");
        asked::counter(registry, opts, move || taken.taken.load(Ordering::Relaxed))?;
        let help =
            "Token of the leader's lease as this node last saw it; it grows with each change of leader.";
        let opts = Opts::new("liveloom_leader_token", help);
        asked::gauge(registry, opts, move || token.token.load(Ordering::Relaxed))
    }

    /// Renews, takes or gives back the lease, as is due; three times in a lease. Returns whether this
    /// node leads. At most two statements, but for the first call on a new database.
    ///
    /// # Errors
    /// When the database cannot be reached. A leader stays one until its lease has run out.
    pub async fn tick(&self) -> Result<bool, StoreError> {
        self.look_and_act().await?;
        Ok(self.known().is_some())
    }

    /// As [`LeaderLease::tick`]; answers when to do so next.
    async fn look_and_act(&self) -> Result<Duration, StoreError> {
        let every = self.lease / 3;
        let is_given_back = self.turn.lock().await;
        if *is_given_back {
            return Ok(every);
        }
        loop {
            let asked = Instant::now();
            let seen = self.row.look().await?;
            let step = seen.step(&self.row);
            let leads = match step {
                Step::Create => {
                    self.row.create().await?;
                    continue;
                }
                Step::Renew { token } => self.row.renew(token).await?.then_some(token),
                Step::Take { token } => self.row.take(&seen, token).await?.then_some(token),
                Step::GiveBack { .. } if self.yields_now() => {
                    self.set(None, asked, false);
                    self.row.give_back().await?;
                    None
                }
                Step::GiveBack { token } => self.row.renew(token).await?.then_some(token),
                Step::Wait => None,
            };
            self.token.store(leads.or(seen.token()).unwrap_or_default(), Ordering::Relaxed);
            let is_yielding = leads.is_some() && matches!(step, Step::GiveBack { .. });
            self.set(leads, asked, is_yielding);
            let due = if is_yielding { Some(SOON) } else { seen.free_in(&self.row) };
            return Ok(due.map_or(every, |due| every.min(due.max(SOON))));
        }
    }

    /// Keeps up with the lease until `stop`; does not give it back, since jobs may be running.
    pub async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let mut is_failing = false;
        loop {
            let was_leading = self.is_leader();
            let next = self.look_and_act().await;
            let leads = self.is_leader();
            match &next {
                Ok(_) if leads != was_leading => tracing::info!(leads, "the leadership changed"),
                Err(error) if !is_failing => {
                    tracing::warn!(%error, "the leader's lease cannot be read or renewed");
                }
                _ => {}
            }
            is_failing = next.is_err();
            crash::point("lease.kept");
            let pause = next.unwrap_or(SOON.min(self.lease / 3));
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Whether this node leads, as far as it knows; not past the end of its lease by its own clock.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.leading_since().is_some()
    }

    /// Since when this node leads without a break; None when it does not.
    #[must_use]
    pub fn leading_since(&self) -> Option<Instant> {
        let leadership = *self.known();
        leadership.filter(Leadership::holds).map(|known| known.since)
    }

    /// Begins a run of a job, if this node leads. The lease is not given back before the end of the run, so that
    /// the next leader does not begin the same job meanwhile.
    #[must_use]
    pub fn begin_run(self: &Arc<Self>) -> Option<Run> {
        let known = self.known();
        known.as_ref().filter(|known| known.holds())?;
        // With `known` locked: whoever yields sees it.
        self.runs.fetch_add(1, Ordering::Relaxed);
        Some(Run(Arc::clone(self)))
    }

    /// Lets no further run begin; whether none is under way.
    fn yields_now(&self) -> bool {
        let mut known = self.known();
        if let Some(known) = known.as_mut() {
            known.is_yielding = true;
        }
        self.runs.load(Ordering::Relaxed) == 0
    }

    /// Follows the token under which this node leads; None while it does not, or has not noticed yet that it
    /// does not any more.
    #[must_use]
    pub fn term(&self) -> watch::Receiver<Option<i64>> {
        self.term.subscribe()
    }

    /// Gives the lease back, for good: later ticks do nothing. For the end of the process, after its
    /// last job.
    ///
    /// # Errors
    /// When the database cannot be reached; the lease then runs out by itself.
    pub async fn release(&self) -> Result<(), StoreError> {
        let mut is_given_back = self.turn.lock().await;
        *is_given_back = true;
        *self.known() = None;
        self.term.send_replace(None);
        self.row.give_back().await
    }

    /// Remembers what the row says since a look at it that was `asked` for at that time.
    fn set(&self, token: Option<i64>, asked: Instant, is_yielding: bool) {
        let mut known = self.known();
        let before = known.filter(|before| Some(before.token) == token && asked < before.until);
        if token.is_some() && before.is_none() {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        *known = token.map(|token| Leadership {
            token,
            since: before.map_or(asked, |before| before.since),
            until: asked + self.lease,
            is_yielding,
        });
        drop(known);
        self.term.send_if_modified(|term| std::mem::replace(term, token) != token);
    }

    fn known(&self) -> MutexGuard<'_, Option<Leadership>> {
        self.leadership.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fence for LeaderLease {
    fn check<'a>(
        &'a self,
        tx: &'a Tx<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), LeaseLost>> + Send + 'a>> {
        let token = self.known().map(|known| known.token);
        Box::pin(async move {
            let token = token.ok_or(LeaseLost::Lost)?;
            if self.row.is_still_ours(tx, token).await? { Ok(()) } else { Err(LeaseLost::Lost) }
        })
    }
}
