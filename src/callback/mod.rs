//! Callbacks: tells the business service (`callback.addr`) of events.
//!
//! Per room in order, each event at least once and always under one `webhook-id`. An event that failed
//! three times, or that the receiver wants later than a minute from now (`Retry-After`), leaves its room's
//! partition for the retry queue, a row of `callback_delivery`, so that it holds up nothing; when its attempts
//! are used up the row stays as failed (a dead letter), for an operator to send it again.

pub mod admin_handlers;
mod body;
mod breaker;
mod deliverer;
mod metrics;
mod partition;
mod queries;
mod retry_queue;
mod schedule;
mod service;
mod skip;
mod webhook_client;

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use service::{Deliveries, Delivery, Error, Filter, State, Waiting};

use self::body::Bodies;
use self::deliverer::Deliverer;
use self::metrics::Metrics;
use self::partition::PartitionDelivery;
use self::retry_queue::RetryDelivery;
use self::webhook_client::Sender;
use crate::auth::WebhookSigner;
use crate::event::CALLBACKS;
use crate::event::consumer;
use crate::event::partitions::Partitions;
use crate::user::Users;
use common::clock::SharedClock;
use common::supervise;
use config::{CallbackConfig, Current};
use store::db::Db;

/// What a claim of a partition lasts beyond one attempt.
const LEASE_RESERVE: Duration = Duration::from_secs(10);
/// How often the gauges are brought up to date.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// Claims of single callbacks under way at the same time.
const ALONE_WORKERS: usize = 4;

/// What callbacks are delivered with.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// The users.
    pub users: Users,
    /// Signs what is posted.
    pub signer: Current<WebhookSigner>,
    /// This node.
    pub node_id: u16,
}

/// Starts to deliver, until `stop`; wait for `running` then.
///
/// # Errors
/// When the HTTP client cannot be made or a metric is registered twice.
pub fn start(
    parts: Parts,
    config: &CallbackConfig,
    registry: &Registry,
    running: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Parts { db, clock, users, signer, node_id } = parts;
    let metrics = Metrics::register(registry)?;
    let lease = Duration::from_secs(config.timeout_s) + LEASE_RESERVE;
    let partitions = Partitions::new(db.clone(), CALLBACKS, node_id, lease);
    if config.addr.is_empty() {
        running.spawn(supervise::until("callbacks", stop, skip::run(partitions, node_id, stop.clone())));
        return Ok(());
    }
    if config.secrets.is_empty() {
        tracing::warn!("callbacks are not signed: the receiver cannot tell who sends them (callback.secret)");
    }
    let sender = Sender::new(config, signer, Arc::clone(&clock))?;
    let deliverer = Arc::new(Deliverer::new(sender, metrics.clone(), config.max_attempts));
    let deliveries = Deliveries::new(db.clone(), Arc::clone(&clock));
    let alone = RetryDelivery {
        db: db.clone(),
        clock: Arc::clone(&clock),
        deliverer: Arc::clone(&deliverer),
        node_id,
    };
    let alone = Arc::new(alone);
    for _ in 0..ALONE_WORKERS {
        running.spawn(supervise::until(retry_queue::TASK, stop, Arc::clone(&alone).run(stop.clone())));
    }
    let partition = PartitionDelivery { db, clock, bodies: Bodies::new(users), deliverer };
    let delivering = consumer::run(partitions, Arc::new(partition), stop.clone());
    running.spawn(supervise::until(CALLBACKS.name, stop, delivering));
    running.spawn(supervise::until("callback figures", stop, measure(deliveries, metrics, stop.clone())));
    Ok(())
}

async fn measure(deliveries: Deliveries, metrics: Metrics, stop: CancellationToken) {
    let mut rounds = interval(MEASURE_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        if let Err(error) = measure_once(&deliveries, &metrics).await {
            tracing::debug!(%error, "callbacks cannot be counted now");
        }
    }
}

async fn measure_once(deliveries: &Deliveries, metrics: &Metrics) -> Result<(), Error> {
    let (pending, oldest) = deliveries.backlog().await?;
    metrics.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
    metrics.oldest.set(oldest.num_seconds());
    metrics.failed.set(i64::try_from(deliveries.failed().await?).unwrap_or(i64::MAX));
    Ok(())
}
