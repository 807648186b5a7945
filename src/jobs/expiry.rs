//! Drops what is past its time: events, and callbacks that were delivered or given up.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::lease::LeaderLease;
use super::schedule::Job;
use crate::callback::Deliveries;
use crate::event::expiry::drop_expired;
use common::clock::SharedClock;
use store::db::Db;

/// The job.
pub struct Expiry {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// The callbacks.
    pub deliveries: Deliveries,
    /// Who leads.
    pub lease: Arc<LeaderLease>,
    /// How long events are kept.
    pub keep: Duration,
}

#[async_trait]
impl Job for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        let Self { db, clock, deliveries, lease, keep } = self;
        let events = drop_expired(db, lease.as_ref(), clock.now(), *keep).await?;
        let callbacks = deliveries.drop_old(lease.as_ref(), *keep).await?;
        Ok(events + callbacks)
    }
}
