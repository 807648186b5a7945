//! The ways from a node to its stores.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use tokio::runtime::Handle;

use crate::chaos::{ChaosProxy, Mode};
use crate::daemon::PortTaken;
use crate::port::Port;
use crate::redis_cluster::RedisCluster;

/// What a node is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// The writable database.
    Primary,
    /// Its copy.
    Replica,
    /// All servers of the Redis Cluster.
    Redis,
}

impl Store {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Replica, Self::Redis];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
            Self::Redis => "redis",
        }
    }
}

/// A way that can be cut: a proxy, or one for each server at its end.
#[derive(Debug)]
pub struct Link {
    proxies: Vec<ChaosProxy>,
    /// Kept also while nobody may listen there.
    _port: Option<Port>,
}

impl Link {
    /// One before `target`, on a port of its own.
    pub(crate) async fn to(target: SocketAddr, runtime: &Handle) -> Result<Self> {
        let port = Port::reserve()?;
        let at = port.addr();
        let listening =
            runtime.spawn(async move { ChaosProxy::listen_at(at, target.to_string()).await }).await?;
        Ok(Self { proxies: vec![listening.context(PortTaken::of("a link"))?], _port: Some(port) })
    }

    /// One before each Redis, on the same ports at an address of the node's own.
    pub(crate) async fn to_redis(node: u16, redis: &RedisCluster, runtime: &Handle) -> Result<Self> {
        let host = redis_host(node)?;
        let proxies = redis.servers().iter().map(|server| async move {
            let (at, target) = (SocketAddr::from((host, server.addr.port())), server.addr.to_string());
            let listening = runtime.spawn(async move { ChaosProxy::listen_at(at, target).await }).await?;
            listening.context(PortTaken::of("redis"))
        });
        Ok(Self { proxies: try_join_all(proxies).await?, _port: None })
    }

    /// Changes what becomes of connections.
    pub fn set(&self, mode: Mode) {
        self.proxies.iter().for_each(|proxy| proxy.set(mode));
    }

    /// What becomes of connections.
    pub fn mode(&self) -> Mode {
        self.proxies.first().map_or(Mode::Pass, ChaosProxy::mode)
    }

    /// How many connections were accepted since the start.
    pub fn connections(&self) -> usize {
        self.proxies.iter().map(ChaosProxy::connections).sum()
    }

    /// Where it is entered, an address for each server.
    pub(crate) fn addrs(&self) -> Vec<String> {
        self.proxies.iter().map(ChaosProxy::addr).collect()
    }

    /// The port of the first proxy.
    pub(crate) fn port(&self) -> Result<u16> {
        self.proxies.first().map(ChaosProxy::port).context("a link has a proxy")
    }
}

/// Linux answers on all of 127.0.0.0/8, without any setting up.
fn redis_host(node: u16) -> Result<Ipv4Addr> {
    let last = u8::try_from(node).ok().filter(|last| *last < 255).context("so many nodes have no address")?;
    Ok(Ipv4Addr::new(127, 0, 1, last))
}
