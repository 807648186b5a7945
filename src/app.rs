//! The one place where the parts are wired together.

mod consumers;
mod control;
mod door;
mod http;
mod jobs;
mod metrics;
mod services;
mod unread;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web;
use anyhow::Context;
use prometheus::{Opts, Registry};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::demo;
use crate::jobs::lease::LeaderLease;
use crate::jobs::schedule::Schedule;
use crate::rest::Draining;
use crate::routes::Stores;
use crate::user::{Admins, Users};
use common::clock::{SharedClock, SystemClock};
use common::id::IdGenerator;
use common::supervise;
use config::{Config, Loaded, Reloads};
use realtime::Hub;
use store::broker::Broker;
use store::cache::Cache;
use store::db::Db;
use store::registry::{self as nodes, NodeLease, NodeState};
use telemetry::report::NodeReport;
use telemetry::{self, asked};

pub use control::Control;
use services::{Ground, Services, follow_changes};

/// How long what runs in the background may take to end once a part of it has failed: what waits for that part
/// must not keep the node from being started again.
const END_LIMIT: Duration = Duration::from_secs(20);

/// A server that listens, and the work around it.
pub struct Application {
    server: Server,
    addr: SocketAddr,
    metrics_addr: Option<SocketAddr>,
    control: Control,
    users: web::Data<Users>,
    admins: web::Data<Admins>,
    background: Background,
}

/// What runs beside the requests, and ends after them.
struct Background {
    stop: CancellationToken,
    schedule: Schedule,
    consumers: TaskTracker,
    lease: Arc<LeaderLease>,
    node: NodeLease,
    db: Db,
    exporter: Option<ServerHandle>,
    pusher: Option<tokio::task::JoinHandle<()>>,
}

impl Application {
    /// Opens the stores, brings the schema up to date, registers the node and starts to listen.
    /// The warnings of a [`Loaded`] configuration are shown to administrators.
    ///
    /// # Errors
    /// One line that says what is wrong and what to do.
    pub async fn build(loaded: impl Into<Loaded>) -> anyhow::Result<Self> {
        let Loaded { config, warnings } = loaded.into();
        let clock: SharedClock = Arc::new(SystemClock);
        let registry = telemetry::registry()?;
        let db =
            Db::connect(&config.mysql, &config.node.data_dir, &config.limits, Arc::clone(&clock)).await?;
        let migrated = db.migrate().await.context("the tables could not be brought up to date")?;
        if !migrated.is_empty() {
            tracing::info!(steps = migrated.len(), "the tables were brought up to date");
        }
        let cache = Cache::connect(&config.cache, Arc::clone(&clock)).await?;
        db.register(&registry)?;
        cache.register(&registry)?;
        let ids = Arc::new(IdGenerator::new(config.node.node_id, Arc::clone(&clock))?);
        let node = register(&config, &db, &cache, &ids, &registry).await?;
        nodes::note_callbacks(&db, config.node.node_id, !config.callback.addr.is_empty()).await?;
        let (hub, broker) = hub(&config, &clock, &registry).await?;
        let registration = node.registration();
        let stores = Stores { db: db.clone(), cache: cache.clone(), broker, registration };
        stores.register(&registry)?;
        let reloads = Reloads::new(Loaded { config: config.clone(), warnings });
        let draining = draining(&registry)?;
        let ground = Ground { config, reloads, draining, db, cache, stores, clock, ids, registry, hub };
        let services = Services::wire(&ground)?;
        if ground.config.demo.enable {
            demo::prepare(services.gifts.types()).await?;
        }
        let http::Listening { server, addr, door } = http::listen(&ground, &services)?;

        let stop = CancellationToken::new();
        let lease = Arc::new(leader_lease(&ground, &node));
        lease.register(&ground.registry)?;
        let changes = ground.cache.announcements();
        let following = follow_changes(changes, ground.hub.clone(), services.clone(), stop.clone());
        supervise::spawn_until("changes", &stop, following);
        supervise::spawn_until("leader's lease", &stop, Arc::clone(&lease).keep(stop.clone()));
        let schedule = Schedule::new(Arc::clone(&lease), &ground.registry, stop.clone())?;
        jobs::start(&schedule, &ground, &services, &lease)?;
        let consumers = consumers::start(&ground, &services, &stop)?;
        let Ground { config, reloads, draining, hub, db, registry, .. } = ground;
        let window = Duration::from_secs(config.realtime.drain_s);
        let control = Control { door, draining, hub, window, reloads };
        let (exporter, metrics_addr, pusher) = metrics::start(&config, registry, &stop)?;
        let background = Background { stop, schedule, consumers, lease, node, db, exporter, pusher };
        Ok(Self {
            server,
            addr,
            metrics_addr,
            control,
            users: services.users,
            admins: services.admins,
            background,
        })
    }

    /// The address that the API listens at.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of `/metrics`, when it is exported.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// Makes sure that there is a user `user_id`.
    ///
    /// # Errors
    /// The store's.
    pub async fn register(&self, user_id: &str) -> anyhow::Result<()> {
        self.users.find_or_register(user_id).await?;
        Ok(())
    }

    /// The administrators.
    #[must_use]
    pub fn admins(&self) -> &Admins {
        &self.admins
    }

    /// Serves until it is stopped by the [`Control`] that `govern` gets, or a background task fails
    /// ([`supervise`]), which drains it; then lets running requests finish and gives back the leases.
    ///
    /// # Errors
    /// When the server or a background task failed: the process is to be started again.
    pub async fn run_until_stopped<G: Future<Output = ()> + 'static>(
        self,
        govern: impl FnOnce(Rc<Control>) -> G,
    ) -> anyhow::Result<()> {
        let control = Rc::new(self.control);
        let governing = supervise::spawn_local("signals", govern(Rc::clone(&control)));
        let giving_up = actix_web::rt::spawn(async move {
            let task = supervise::failed().await;
            tracing::error!(
                task,
                "a background task has failed: the node drains and stops, to be started again"
            );
            control.drain().await;
        });
        let ended = self.server.await;
        governing.abort();
        giving_up.abort();
        let ending = self.background.end();
        if supervise::failure().is_none() {
            ending.await;
        } else if timeout(END_LIMIT, ending).await.is_err() {
            tracing::error!("what runs in the background did not end in time");
        }
        if let Some(task) = supervise::failure() {
            anyhow::bail!("the background task `{task}` has failed, see the log");
        }
        Ok(ended?)
    }
}

impl Background {
    async fn end(self) {
        self.stop.cancel();
        self.db.forget_idle_connections();
        self.schedule.finish().await;
        self.consumers.wait().await;
        self.db.forget_idle_connections();
        if let Err(error) = self.lease.release().await {
            tracing::warn!(%error, "the leader's lease could not be given back; it runs out by itself");
        }
        if let Err(error) = self.node.release().await {
            tracing::warn!(%error, "the node's registration could not be given back; it runs out by itself");
        }
        if let Some(exporter) = self.exporter {
            exporter.stop(true).await;
        }
        if let Some(pusher) = self.pusher {
            let _ = pusher.await;
        }
        self.db.close().await;
    }
}

async fn register(
    config: &Config,
    db: &Db,
    cache: &Cache,
    ids: &Arc<IdGenerator>,
    registry: &Registry,
) -> anyhow::Result<NodeLease> {
    let lease = Duration::from_secs(config.cron.lease_s);
    let state = OwnState { cache: cache.clone(), registry: registry.clone() };
    Ok(NodeLease::acquire(db, config.node.node_id, lease, Arc::clone(ids), state).await?)
}

/// What this node tells of itself.
struct OwnState {
    cache: Cache,
    registry: Registry,
}

impl NodeState for OwnState {
    fn cache_failed_ms(&self) -> Option<i64> {
        self.cache.failed_at().map(|at| at.timestamp_millis())
    }

    fn report(&self) -> String {
        NodeReport::gather(&self.registry).to_text()
    }
}

async fn hub(config: &Config, clock: &SharedClock, registry: &Registry) -> anyhow::Result<(Hub, Broker)> {
    let (broker, heard) = Broker::connect(&config.cache, Arc::clone(clock)).await?;
    broker.register(registry)?;
    let (realtime, node_id) = (config.realtime.clone(), config.node.node_id);
    let hub = Hub::start(broker.clone(), heard, realtime, node_id, Arc::clone(clock), registry)?;
    Ok((hub, broker))
}

fn leader_lease(ground: &Ground, node: &NodeLease) -> LeaderLease {
    let config = &ground.config;
    LeaderLease::new(
        ground.db.clone(),
        config.node.node_id,
        config.cron.single_task_node,
        node.owner().to_owned(),
        Duration::from_secs(config.cron.lease_s),
    )
}

/// Whether the node is on its way out, as a metric too.
fn draining(registry: &Registry) -> prometheus::Result<Draining> {
    let draining = Draining::default();
    let told = draining.clone();
    let help = "1 from the moment the node was asked to stop, else 0.";
    asked::gauge(registry, Opts::new("liveloom_draining", help), move || told.has_begun().into())?;
    Ok(draining)
}
