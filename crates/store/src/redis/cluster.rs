//! A Redis Cluster: a connection to each of its masters, and the routing of each call to the right one.
//!
//! Every master has its own connection, so that one that is lost or hangs fails the calls for its own
//! shards, at once, and no others. A call is repeated only when Redis said that it was not
//! executed.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connection::{Connection, Request};
use super::connector::{Addr, Connector};
use super::error::ClientError;
use super::slot_map::SlotMap;
use super::supervised::{DEADLINE, Failed, SupervisedConnection};
use common::supervise;

/// How often a call goes where a node sends it.
const REDIRECTIONS: usize = 8;
/// The pause before a call is repeated whose keys are on their way.
const MIGRATION_PAUSE: Duration = Duration::from_millis(20);
/// How often the slot map is asked for when nothing calls for it, and at most.
const REFRESH: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(100));
/// How long a call waits for the first slot map.
const SLOT_MAP_LIMIT: Duration = Duration::from_millis(300);
/// How long a node may take to tell the slot map.
const REFRESH_LIMIT: Duration = Duration::from_millis(300);

/// What the calls and the keeper share.
struct Shared {
    connector: Connector,
    /// The configured nodes.
    seeds: Vec<Addr>,
    connections: Mutex<HashMap<Addr, Arc<SupervisedConnection>>>,
    slot_map: watch::Sender<Arc<SlotMap>>,
    /// Asks for a new slot map.
    outdated: Notify,
}

/// A cluster.
pub(crate) struct Cluster {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Cluster {
    /// Starts to look for the masters.
    pub(crate) fn open(connector: Connector, seeds: Vec<Addr>) -> Self {
        let shared = Arc::new(Shared {
            connector,
            seeds,
            connections: Mutex::default(),
            slot_map: watch::Sender::default(),
            outdated: Notify::new(),
        });
        let keeper = supervise::spawn("redis layout", keep(shared.clone()));
        Self { shared, keeper }
    }

    /// Waits, up to the deadline of a call, until the masters are known and connected to.
    pub(crate) async fn settled(&self) {
        let settling = async {
            let mut slot_map = self.shared.slot_map.subscribe();
            // Fails only when the keeper is gone; then there is nothing to wait for.
            let _ = slot_map.wait_for(|slot_map| slot_map.masters().next().is_some()).await;
            let slot_map = slot_map.borrow().clone();
            for addr in slot_map.masters() {
                self.shared.connection(addr).settled().await;
            }
        };
        let _ = timeout(DEADLINE, settling).await;
    }

    /// How many masters there is a connection to, and to how many there is none.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let slot_map = self.shared.slot_map.borrow().clone();
        let (up, down): (Vec<_>, Vec<_>) = slot_map
            .masters()
            .map(|addr| self.shared.connection(addr))
            .partition(|connection| connection.is_up());
        (up.len(), down.len())
    }

    /// All nodes that are known, the configured ones included.
    pub(crate) fn nodes(&self) -> Vec<Addr> {
        self.shared.nodes()
    }

    /// Which node serves what, now and later.
    pub(crate) fn slot_map(&self) -> watch::Receiver<Arc<SlotMap>> {
        self.shared.slot_map.subscribe()
    }

    /// The slot map may be out of date.
    pub(crate) fn refresh_slot_map(&self) {
        self.shared.outdated.notify_one();
    }

    /// Makes a request of the master of `key`, or of any.
    pub(crate) async fn send(&self, key: Option<&str>, request: &Request) -> Result<Value, ClientError> {
        timeout(DEADLINE, self.follow(key, request)).await.unwrap_or(Err(ClientError::Deadline))
    }

    /// Makes a request and goes where it is sent.
    async fn follow(&self, key: Option<&str>, request: &Request) -> Result<Value, ClientError> {
        let (mut connection, mut asking) = (self.connection_for(key).await?, false);
        let mut redirections = 0;
        while redirections < REDIRECTIONS {
            let sent = connection.within(
                async |mut to: Connection| {
                    if asking { to.ask(request).await } else { to.send(request).await }
                },
            );
            match sent.await {
                Ok(value) => return Ok(value),
                Err(Failed::Moved(addr)) => {
                    self.shared.outdated.notify_one();
                    redirections += 1;
                    (connection, asking) = (self.shared.connection(&addr), false);
                }
                Err(Failed::Ask(addr)) => {
                    redirections += 1;
                    (connection, asking) = (self.shared.connection(&addr), true);
                }
                // Until the deadline.
                Err(Failed::Migrating) => {
                    sleep(MIGRATION_PAUSE).await;
                    (connection, asking) = (self.connection_for(key).await?, false);
                }
                Err(Failed::Error(error)) => {
                    self.shared.outdated.notify_one();
                    return Err(error);
                }
            }
        }
        Err(ClientError::Refused("sent from node to node".into()))
    }

    async fn connection_for(&self, key: Option<&str>) -> Result<Arc<SupervisedConnection>, ClientError> {
        let mut slot_map = self.shared.slot_map.subscribe();
        let known =
            timeout(SLOT_MAP_LIMIT, slot_map.wait_for(|slot_map| slot_map.masters().next().is_some()));
        let slot_map = match known.await {
            Ok(Ok(slot_map)) => slot_map.clone(),
            _ => return Err(ClientError::Unreachable("no node of the cluster answers".into())),
        };
        let master = match key {
            Some(key) => slot_map.master_of(key).map(|addr| self.shared.connection(addr)),
            None => self.shared.any_master(&slot_map),
        };
        master.ok_or_else(|| {
            self.shared.outdated.notify_one();
            ClientError::Unreachable("the cluster has no master for the key".into())
        })
    }
}

impl Shared {
    /// The connection to a node, opened now if there is none.
    fn connection(&self, addr: &Addr) -> Arc<SupervisedConnection> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = connections.get(addr) {
            return connection.clone();
        }
        let connection = Arc::new(SupervisedConnection::open(self.connector.clone(), addr.clone()));
        connections.insert(addr.clone(), connection.clone());
        connection
    }

    /// The connection to a master that is up, if one is, else to any.
    fn any_master(&self, slot_map: &SlotMap) -> Option<Arc<SupervisedConnection>> {
        let connections: Vec<_> = slot_map.masters().map(|addr| self.connection(addr)).collect();
        connections.iter().find(|connection| connection.is_up()).or(connections.first()).cloned()
    }

    fn nodes(&self) -> Vec<Addr> {
        let slot_map = self.slot_map.borrow().clone();
        let mut nodes: Vec<Addr> = slot_map.nodes().chain(&self.seeds).cloned().collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Asks for the slot map; whether it was told.
    async fn refresh(&self) -> bool {
        let slots = Request::Command(cmd("CLUSTER").arg("SLOTS").to_owned());
        let linked: Vec<(Addr, Arc<SupervisedConnection>)> = {
            let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
            connections
                .iter()
                .filter(|(_, connection)| connection.is_up())
                .map(|(addr, connection)| (addr.clone(), connection.clone()))
                .collect()
        };
        let of_linked = linked.into_iter().map(|(addr, connection)| {
            let slots = &slots;
            async move {
                let asked = connection.within(async |mut to: Connection| to.send(slots).await);
                let answer = timeout(REFRESH_LIMIT, asked).await.ok()?.ok()?;
                SlotMap::read(answer, &addr)
            }
        });
        let slot_map = match first(of_linked).await {
            None => {
                let of_others = self.nodes().into_iter().map(|addr| self.ask_once(addr, &slots));
                first(of_others).await
            }
            slot_map => slot_map,
        };
        slot_map.map(|slot_map| self.adopt(slot_map)).is_some()
    }

    async fn ask_once(&self, addr: Addr, slots: &Request) -> Option<SlotMap> {
        let asked = async { self.connector.connect(&addr).await?.send(slots).await };
        SlotMap::read(timeout(REFRESH_LIMIT, asked).await.ok()?.ok()?, &addr)
    }

    /// Uses a slot map: opens connections to new masters, and closes those to others.
    fn adopt(&self, slot_map: SlotMap) {
        let masters: HashSet<&Addr> = slot_map.masters().collect();
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|addr, _| masters.contains(addr));
        for addr in masters {
            self.connection(addr);
        }
        self.slot_map.send_if_modified(|current| {
            let changed = **current != slot_map;
            if changed {
                *current = Arc::new(slot_map.clone());
            }
            changed
        });
    }
}

/// The first that is told, of all that are asked at the same time.
async fn first(asked: impl Iterator<Item = impl Future<Output = Option<SlotMap>>>) -> Option<SlotMap> {
    let mut asked: FuturesUnordered<_> = asked.collect();
    while let Some(answer) = asked.next().await {
        if answer.is_some() {
            return answer;
        }
    }
    None
}

/// Keeps the slot map up to date.
async fn keep(shared: Arc<Shared>) {
    let (seldom, often) = REFRESH;
    loop {
        if shared.refresh().await {
            sleep(often).await;
            // Either way it is time to ask again.
            let _ = timeout(seldom, shared.outdated.notified()).await;
        } else {
            tracing::debug!("no node of the Redis Cluster tells its layout");
            sleep(often).await;
        }
    }
}
