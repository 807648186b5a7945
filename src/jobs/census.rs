//! Counts what the whole installation holds, for the leader's metrics.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntGaugeVec, Opts, Registry};

use super::lease::LeaderLease;
use super::on_leader::OnLeader;
use super::schedule::Job;
use crate::event::{REACTIONS, backlog, oldest_waiting};
use crate::live::Lives;
use common::clock::SharedClock;
use common::crash;
use store::db::Db;

/// From one count to the next: three statements and one call of the cache.
const EVERY: Duration = Duration::from_secs(10);

/// What is counted with.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// The rooms.
    pub lives: Lives,
    /// Who leads.
    pub lease: Arc<LeaderLease>,
}

/// The job. Its gauges have no value before the first count.
pub struct Census {
    parts: Parts,
    rooms: IntGaugeVec,
    users: IntGaugeVec,
    waiting: IntGaugeVec,
    oldest: IntGaugeVec,
}

impl Census {
    /// The job. Registers `liveloom_rooms_live`, `liveloom_users_online`, `liveloom_reaction_pending` and
    /// `liveloom_reaction_oldest_seconds`.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn new(parts: Parts, registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| {
            let metrics = IntGaugeVec::new(Opts::new(name, help), &[])?;
            let lease = Arc::clone(&parts.lease);
            registry.register(Box::new(OnLeader { metrics: metrics.clone(), lease }))?;
            prometheus::Result::Ok(metrics)
        };
        Ok(Self {
            rooms: gauge("liveloom_rooms_live", "Rooms that are live, told by the leader alone.")?,
            users: gauge("liveloom_users_online", "Users in rooms, told by the leader alone.")?,
            waiting: gauge(
                "liveloom_reaction_pending",
                "Events whose reactions are still to run, in all rooms, told by the leader alone.",
            )?,
            oldest: gauge(
                "liveloom_reaction_oldest_seconds",
                "Age of the oldest of them, in seconds; 0 without one. Told by the leader alone.",
            )?,
            parts,
        })
    }
}

#[async_trait]
impl Job for Census {
    fn name(&self) -> &'static str {
        "census"
    }

    fn every(&self) -> Duration {
        EVERY
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        crash::point("census.begun");
        let Parts { db, clock, lives, .. } = &self.parts;
        let show = |gauge: &IntGaugeVec, value: i64| gauge.with_label_values::<&str>(&[]).set(value);
        show(&self.rooms, i64::try_from(lives.count_live().await?)?);
        show(&self.users, i64::try_from(lives.count_online().await?)?);
        let oldest = oldest_waiting(db, REACTIONS).await?;
        show(&self.oldest, oldest.map_or(0, |at| (clock.now() - at).num_seconds().max(0)));
        show(&self.waiting, i64::try_from(backlog(db, REACTIONS).await?.events)?);
        Ok(0)
    }
}
