//! The whole cluster.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use tokio::runtime::{Builder, Runtime};

use crate::chaos::Mode;
use crate::daemon::{Daemon, PortTaken};
use crate::folder::Folder;
use crate::front;
use crate::link::{Link, Store};
use crate::mariadb::MariaDb;
use crate::monitors;
use crate::node::{Node, Surroundings};
use crate::plan::Plan;
use crate::port::Port;
use crate::redis_cluster::RedisCluster;
use crate::replication::replicated;

/// How often to begin anew when somebody takes a port just then.
const ATTEMPTS: usize = 3;
/// Stores, nodes, nginx, Prometheus and Pushgateway. Everything ends when this is dropped, or when the process does
/// in whatever way.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: the nodes before what they use, the folder last.
    nodes: Vec<Node>,
    nginx: Daemon,
    prometheus: Daemon,
    pushgateway: Daemon,
    replica: MariaDb,
    replication: Link,
    primary: MariaDb,
    redis: RedisCluster,
    ports: Ports,
    _proxies: Proxies,
    folder: Folder,
}

/// The ports of all but Redis.
#[derive(Debug)]
struct Ports {
    nginx: Port,
    prometheus: Port,
    pushgateway: Port,
    primary: Port,
    replica: Port,
    nodes: Vec<[Port; 2]>,
}

/// What proxies run on, so that they are no load for the tests' own threads, and outlive a test's runtime.
#[derive(Debug)]
struct Proxies(Option<Runtime>);

impl Cluster {
    /// Starts one and waits until all of it is ready.
    ///
    /// # Errors
    /// When a part does not start, with the end of its log.
    pub async fn start(plan: Plan) -> Result<Self> {
        let mut attempts = 1;
        loop {
            match Self::try_start(&plan).await {
                Err(error) if error.is::<PortTaken>() && attempts < ATTEMPTS && plan.folder.is_none() => {
                    attempts += 1;
                }
                started => return started,
            }
        }
    }

    async fn try_start(plan: &Plan) -> Result<Self> {
        let folder = match &plan.folder {
            Some(folder) => Folder::at(folder)?,
            None => Folder::temporary("liveloom-cluster-")?,
        };
        let (ports, proxies) = (Ports::reserve(plan.nodes)?, Proxies::new()?);
        let pushgateway = monitors::pushgateway(folder.path(), ports.pushgateway.addr());
        let (databases, redis, ()) = tokio::try_join!(
            replicated(folder.path(), ports.primary.addr(), ports.replica.addr(), proxies.handle()?),
            RedisCluster::start(folder.path()),
            pushgateway.start(),
        )?;
        let (primary, replica, replication) = databases;
        let stand_in = format!("http://{}/manager/gift/test", ports.nginx.addr());
        let around = Surroundings {
            folder: folder.path(),
            primary: &primary,
            replica: &replica,
            redis: &redis,
            gift_addr: plan.gift_addr.as_deref().unwrap_or(&stand_in),
            pushgateway: ports.pushgateway.addr(),
            runtime: proxies.handle()?,
        };
        let nodes = (1..)
            .zip(&ports.nodes)
            .map(|(id, [port, metrics])| Node::new(id, [port, metrics], plan, &around));
        let nodes = try_join_all(nodes).await?;
        let (nginx, prometheus) = over(folder.path(), &ports, &nodes)?;
        tokio::try_join!(
            try_join_all(nodes.iter().map(|node| node.daemon.start())),
            nginx.start(),
            prometheus.start()
        )?;
        Ok(Self {
            nodes,
            nginx,
            prometheus,
            pushgateway,
            replica,
            replication,
            primary,
            redis,
            ports,
            _proxies: proxies,
            folder,
        })
    }

    /// The nodes, node 1 first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node by its id.
    ///
    /// # Errors
    /// When there is none.
    pub fn node(&self, id: u16) -> Result<&Node> {
        self.nodes.iter().find(|node| node.id == id).with_context(|| format!("there is no node {id}"))
    }

    /// The way from a node to a store.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn link(&self, node: u16, store: Store) -> Result<&Link> {
        Ok(self.node(node)?.link(store))
    }

    /// The way on which the replica follows the primary.
    pub fn replication(&self) -> &Link {
        &self.replication
    }

    /// Lets everything pass on all links.
    pub fn mend(&self) {
        self.replication.set(Mode::Pass);
        for node in &self.nodes {
            Store::ALL.iter().for_each(|store| node.link(*store).set(Mode::Pass));
        }
    }

    /// The writable database.
    pub fn primary(&self) -> &MariaDb {
        &self.primary
    }

    /// Its copy, which takes no writes.
    pub fn replica(&self) -> &MariaDb {
        &self.replica
    }

    /// The Redis Cluster.
    pub fn redis(&self) -> &RedisCluster {
        &self.redis
    }

    /// nginx before the nodes.
    pub fn nginx(&self) -> &Daemon {
        &self.nginx
    }

    /// Where clients go.
    pub fn nginx_addr(&self) -> SocketAddr {
        self.ports.nginx.addr()
    }

    /// Prometheus.
    pub fn prometheus(&self) -> &Daemon {
        &self.prometheus
    }

    /// Where it answers.
    pub fn prometheus_addr(&self) -> SocketAddr {
        self.ports.prometheus.addr()
    }

    /// The Pushgateway.
    pub fn pushgateway(&self) -> &Daemon {
        &self.pushgateway
    }

    /// Where it answers.
    pub fn pushgateway_addr(&self) -> SocketAddr {
        self.ports.pushgateway.addr()
    }

    /// All processes.
    pub fn daemons(&self) -> impl Iterator<Item = &Daemon> {
        let redis = self.redis.servers().iter().map(|server| &server.daemon);
        let others =
            [&self.primary.daemon, &self.replica.daemon, &self.nginx, &self.prometheus, &self.pushgateway];
        self.nodes.iter().map(|node| &node.daemon).chain(redis).chain(others)
    }

    /// A process by its name, such as `node-2`, `redis-5` or `primary`.
    ///
    /// # Errors
    /// When there is none.
    pub fn daemon(&self, name: &str) -> Result<&Daemon> {
        self.daemons().find(|daemon| daemon.name() == name).with_context(|| format!("there is no {name}"))
    }

    /// Data, settings and logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends everything in order: the nodes as an operator would, then the rest.
    pub async fn stop(self) {
        let nodes = self.nodes.iter().filter(|node| node.daemon.pid().is_some());
        // Those that do not end in time are killed when dropped.
        let ending = nodes.map(|node| node.daemon.terminate(crate::STOP_LIMIT));
        futures_util::future::join_all(ending).await;
    }
}

/// What stands over the nodes.
fn over(folder: &Path, ports: &Ports, nodes: &[Node]) -> Result<(Daemon, Daemon)> {
    let addrs: Vec<SocketAddr> = nodes.iter().map(|node| node.addr).collect();
    let metrics: Vec<SocketAddr> = nodes.iter().map(|node| node.metrics_addr).collect();
    let nginx = front::nginx(folder, ports.nginx.addr(), &addrs)?;
    let prometheus =
        monitors::prometheus(folder, ports.prometheus.addr(), &metrics, ports.pushgateway.addr())?;
    Ok((nginx, prometheus))
}

impl Ports {
    fn reserve(nodes: u16) -> Result<Self> {
        let pair = |_| Ok([Port::reserve()?, Port::reserve()?]);
        Ok(Self {
            nginx: Port::reserve()?,
            prometheus: Port::reserve()?,
            pushgateway: Port::reserve()?,
            primary: Port::reserve()?,
            replica: Port::reserve()?,
            nodes: (0..nodes).map(pair).collect::<Result<_>>()?,
        })
    }
}

impl Proxies {
    fn new() -> Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("proxies").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn handle(&self) -> Result<&tokio::runtime::Handle> {
        Ok(self.0.as_ref().context("the proxies run")?.handle())
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        // Within a runtime, another one may not be waited for.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
