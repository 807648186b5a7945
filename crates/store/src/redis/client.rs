//! Redis, be it a node or a cluster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use prometheus::Registry;
use redis::{Cmd, FromRedisValue, Value, cmd, from_redis_value};
use tokio::sync::watch;

use super::cluster::Cluster;
use super::connection::{Connection, Request};
use super::connector::{Addr, Connector, addrs};
use super::error::ClientError;
use super::metrics::{Metrics, Purpose};
use super::script::Call;
use super::slot_map::SlotMap;
use super::supervised::{Failed, SupervisedConnection};
use super::trouble::Trouble;
use common::clock::life_ms;
use config::RedisConfig;
use telemetry::span::Span;

type Result<T> = std::result::Result<T, ClientError>;

/// How long what was only written to try that is kept: nobody is to find it.
const WRITE_LIFE: Duration = Duration::from_millis(1);

/// Where calls go, and what is counted of them.
pub(crate) struct Client {
    to: To,
    metrics: Metrics,
    /// Of the calls.
    trouble: Trouble,
}

enum To {
    Node { connection: SupervisedConnection, slot_map: watch::Sender<Arc<SlotMap>> },
    Cluster(Cluster),
}

impl Client {
    /// Starts to connect. `user`: who makes the calls, in metrics.
    pub(crate) fn open(
        cfg: &RedisConfig,
        is_cluster: bool,
        connector: Connector,
        user: &str,
    ) -> Result<Arc<Self>> {
        let metrics = Metrics::new(user).map_err(|error| ClientError::Config(error.to_string().into()))?;
        let mut addrs = addrs(cfg, is_cluster)?;
        if is_cluster {
            let to = To::Cluster(Cluster::open(connector, addrs));
            return Ok(Arc::new(Self { to, metrics, trouble: Trouble::none() }));
        }
        let addr = addrs.pop().ok_or_else(|| ClientError::Config("no address".into()))?;
        let slot_map = watch::Sender::new(Arc::new(SlotMap::single(addr.clone())));
        let to = To::Node { connection: SupervisedConnection::open(connector, addr), slot_map };
        Ok(Arc::new(Self { to, metrics, trouble: Trouble::none() }))
    }

    /// Shows `liveloom_redis_*` of these calls in `registry`.
    pub(crate) fn register(self: &Arc<Self>, registry: &Registry) -> prometheus::Result<()> {
        self.metrics.register(Arc::downgrade(self), registry)
    }

    /// How many connections there are, and how many are missing.
    pub(crate) fn connections(&self) -> (usize, usize) {
        match &self.to {
            To::Node { connection, .. } if connection.is_up() => (1, 0),
            To::Node { .. } => (0, 1),
            To::Cluster(cluster) => cluster.connections(),
        }
    }

    /// Whether every server can be asked, without asking.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.connections(), (1.., 0))
    }

    /// For how long no call has gone well.
    pub(crate) fn failing_for(&self) -> Option<Duration> {
        self.trouble.lasting()
    }

    /// Waits, up to the deadline of a call, for the first attempt to connect.
    pub(crate) async fn settled(&self) {
        match &self.to {
            To::Node { connection, .. } => connection.settled().await,
            To::Cluster(cluster) => cluster.settled().await,
        }
    }

    /// The servers that a subscription can be made at.
    pub(crate) fn nodes(&self) -> Vec<Addr> {
        match &self.to {
            To::Node { slot_map, .. } => slot_map.borrow().masters().cloned().collect(),
            To::Cluster(cluster) => cluster.nodes(),
        }
    }

    /// Which server serves what, now and later.
    pub(crate) fn slot_map(&self) -> watch::Receiver<Arc<SlotMap>> {
        match &self.to {
            To::Node { slot_map, .. } => slot_map.subscribe(),
            To::Cluster(cluster) => cluster.slot_map(),
        }
    }

    /// The slot map may be out of date.
    pub(crate) fn refresh_slot_map(&self) {
        if let To::Cluster(cluster) = &self.to {
            cluster.refresh_slot_map();
        }
    }

    /// Whether the server, or every master that serves one of `keys`, answers.
    pub(crate) async fn ping(&self, keys: &[String]) -> Result<()> {
        match &self.to {
            To::Node { .. } => {
                self.call(Purpose::Values, None, &Request::Command(cmd("PING"))).await.map(|_| ())
            }
            To::Cluster(_) => {
                let exists = async |key| {
                    let request = Request::Command(cmd("EXISTS").arg(key).to_owned());
                    self.call(Purpose::Values, Some(key), &request).await
                };
                try_join_all(keys.iter().map(|key| exists(key))).await.map(|_| ())
            }
        }
    }

    /// Whether the server, or every master that serves one of `keys`, takes a write: sets them for a moment.
    pub(crate) async fn try_write(&self, keys: &[String]) -> Result<()> {
        let keys = match &self.to {
            To::Node { .. } => keys.get(..1).unwrap_or_default(),
            To::Cluster(_) => keys,
        };
        let set = async |key: &String| {
            let set = cmd("SET").arg(key).arg("").arg("PX").arg(life_ms(WRITE_LIFE)).to_owned();
            self.call(Purpose::Values, Some(key), &Request::Command(set)).await
        };
        try_join_all(keys.iter().map(set)).await.map(|_| ())
    }

    /// Runs a command on `key`, or one that any server can run.
    pub(crate) async fn command<T: FromRedisValue>(&self, key: Option<&str>, command: Cmd) -> Result<T> {
        decode(self.call(Purpose::Values, key, &Request::Command(command)).await?)
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T> {
        let purpose = call.purpose();
        let request = Request::Script(call);
        decode(self.call(purpose, request.first_key(), &request).await?)
    }

    /// Runs scripts: on a node in one round trip, on a cluster at the same time on each node.
    /// Fails if one of them does; the others may have been applied.
    pub(crate) async fn run_all<T: FromRedisValue>(&self, calls: Vec<Call>) -> Result<Vec<T>> {
        match &self.to {
            To::Node { connection, .. } if calls.len() > 1 => {
                let purpose = calls.first().map_or(Purpose::Values, Call::purpose);
                let trip = connection.within(async |mut to: Connection| to.run_all(&calls).await);
                let ran = self.told(purpose, async { trip.await.map_err(not_redirected) }).await;
                ran?.into_iter().map(decode).collect()
            }
            _ => try_join_all(calls.into_iter().map(|call| self.run(call))).await,
        }
    }

    async fn call(&self, purpose: Purpose, key: Option<&str>, request: &Request) -> Result<Value> {
        self.told(purpose, self.send(key, request)).await
    }

    /// One round trip, counted and traced.
    async fn told<T>(&self, purpose: Purpose, trip: impl Future<Output = Result<T>>) -> Result<T> {
        let (began, mut span) = (Instant::now(), Span::client("redis"));
        let result = trip.await;
        self.metrics.called(purpose, began, &result);
        self.trouble.note(result.is_ok());
        if result.is_err() {
            span.fail();
        }
        result
    }

    async fn send(&self, key: Option<&str>, request: &Request) -> Result<Value> {
        match &self.to {
            To::Node { connection, .. } => {
                let sent = connection.within(async |mut to: Connection| to.send(request).await).await;
                sent.map_err(not_redirected)
            }
            To::Cluster(cluster) => cluster.send(key, request).await,
        }
    }
}

/// A single server that redirects is a node of a cluster.
fn not_redirected(failed: Failed) -> ClientError {
    match failed {
        Failed::Error(error) => error,
        Failed::Moved(_) | Failed::Ask(_) | Failed::Migrating => {
            ClientError::Refused("the server belongs to a cluster; configure the cache as one".into())
        }
    }
}

fn decode<T: FromRedisValue>(value: Value) -> Result<T> {
    from_redis_value(value).map_err(|error| ClientError::Unexpected(error.to_string().into()))
}
