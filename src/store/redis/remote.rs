//! Redis, be it a node or a cluster.

use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::{Cmd, FromRedisValue, Value, cmd, from_redis_value};
use tokio::sync::watch;

use super::cluster::Cluster;
use super::connection::{Connection, Request};
use super::connector::{Addr, Connector, addrs};
use super::error::RemoteError;
use super::layout::Layout;
use super::link::{Failed, Link};
use super::script::Call;
use crate::config::RedisConfig;
use crate::telemetry::span::Span;

type Result<T> = std::result::Result<T, RemoteError>;

/// Where calls go.
pub(in crate::store) enum Remote {
    Node { link: Link, layout: watch::Sender<Arc<Layout>> },
    Cluster(Cluster),
}

impl Remote {
    /// Starts to connect.
    pub(in crate::store) fn open(
        cfg: &RedisConfig,
        is_cluster: bool,
        connector: Connector,
    ) -> Result<Arc<Self>> {
        let mut addrs = addrs(cfg, is_cluster)?;
        if is_cluster {
            return Ok(Arc::new(Self::Cluster(Cluster::open(connector, addrs))));
        }
        let addr = addrs.pop().ok_or_else(|| RemoteError::Config("no address".into()))?;
        let layout = watch::Sender::new(Arc::new(Layout::single(addr.clone())));
        Ok(Arc::new(Self::Node { link: Link::open(connector, addr), layout }))
    }

    /// Waits, up to the deadline of a call, for the first attempt to connect.
    pub(in crate::store) async fn settled(&self) {
        match self {
            Self::Node { link, .. } => link.settled().await,
            Self::Cluster(cluster) => cluster.settled().await,
        }
    }

    /// The servers that a subscription can be made at.
    pub(in crate::store) fn nodes(&self) -> Vec<Addr> {
        match self {
            Self::Node { layout, .. } => layout.borrow().masters().cloned().collect(),
            Self::Cluster(cluster) => cluster.nodes(),
        }
    }

    /// Which server serves what, now and later.
    pub(in crate::store) fn layout(&self) -> watch::Receiver<Arc<Layout>> {
        match self {
            Self::Node { layout, .. } => layout.subscribe(),
            Self::Cluster(cluster) => cluster.layout(),
        }
    }

    /// The layout may be out of date.
    pub(in crate::store) fn doubt_layout(&self) {
        if let Self::Cluster(cluster) = self {
            cluster.doubt_layout();
        }
    }

    /// Whether the server, or every master that serves one of `keys`, answers.
    pub(in crate::store) async fn ping(&self, keys: &[String]) -> Result<()> {
        match self {
            Self::Node { .. } => self.send(None, &Request::Command(cmd("PING"))).await.map(|_| ()),
            Self::Cluster(_) => {
                let exists = async |key| {
                    let request = Request::Command(cmd("EXISTS").arg(key).to_owned());
                    self.send(Some(key), &request).await
                };
                try_join_all(keys.iter().map(|key| exists(key))).await.map(|_| ())
            }
        }
    }

    /// Runs a command on `key`, or one that any server can run.
    pub(in crate::store) async fn command<T: FromRedisValue>(
        &self,
        key: Option<&str>,
        command: Cmd,
    ) -> Result<T> {
        decode(self.send(key, &Request::Command(command)).await?)
    }

    /// Runs a script.
    pub(in crate::store) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T> {
        let request = Request::Script(call);
        decode(self.send(request.first_key(), &request).await?)
    }

    /// Runs scripts: on a node in one round trip, on a cluster at the same time on each node.
    /// Fails if one of them does; the others may have been applied.
    pub(in crate::store) async fn run_all<T: FromRedisValue>(&self, calls: Vec<Call>) -> Result<Vec<T>> {
        match self {
            Self::Node { link, .. } if calls.len() > 1 => {
                let mut span = Span::client("redis");
                let ran = link.within(async |mut to: Connection| to.run_all(&calls).await).await;
                if ran.is_err() {
                    span.fail();
                }
                ran.map_err(not_redirected)?.into_iter().map(decode).collect()
            }
            _ => try_join_all(calls.into_iter().map(|call| self.run(call))).await,
        }
    }

    async fn send(&self, key: Option<&str>, request: &Request) -> Result<Value> {
        let mut span = Span::client("redis");
        let sent = match self {
            Self::Node { link, .. } => {
                let sent = link.within(async |mut to: Connection| to.send(request).await).await;
                sent.map_err(not_redirected)
            }
            Self::Cluster(cluster) => cluster.send(key, request).await,
        };
        if sent.is_err() {
            span.fail();
        }
        sent
    }
}

/// A single server that redirects is a node of a cluster.
fn not_redirected(failed: Failed) -> RemoteError {
    match failed {
        Failed::Error(error) => error,
        Failed::Moved(_) | Failed::Ask(_) | Failed::Migrating => {
            RemoteError::Refused("the server belongs to a cluster; configure the cache as one".into())
        }
    }
}

fn decode<T: FromRedisValue>(value: Value) -> Result<T> {
    from_redis_value(value).map_err(|error| RemoteError::Unexpected(error.to_string().into()))
}
