//! A Redis Cluster: a link to each of its masters, and the way of a call to the right one.
//!
//! Every master has its own link, so that one that is lost or hangs fails the calls for its own
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
use super::error::RemoteError;
use super::layout::Layout;
use super::link::{DEADLINE, Failed, Link};
use common::supervise;

/// How often a call goes where a node sends it.
const REDIRECTIONS: usize = 8;
/// The pause before a call is repeated whose keys are on their way.
const MIGRATION_PAUSE: Duration = Duration::from_millis(20);
/// How often the layout is asked for when nothing calls for it, and at most.
const REFRESH: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(100));
/// How long a call waits for the first layout.
const LAYOUT_LIMIT: Duration = Duration::from_millis(300);
/// How long a node may take to tell the layout.
const REFRESH_LIMIT: Duration = Duration::from_millis(300);

/// What the calls and the keeper share.
struct Shared {
    connector: Connector,
    /// The configured nodes.
    seeds: Vec<Addr>,
    links: Mutex<HashMap<Addr, Arc<Link>>>,
    layout: watch::Sender<Arc<Layout>>,
    /// Asks for a new layout.
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
            links: Mutex::default(),
            layout: watch::Sender::default(),
            outdated: Notify::new(),
        });
        let keeper = supervise::spawn("redis layout", keep(shared.clone()));
        Self { shared, keeper }
    }

    /// Waits, up to the deadline of a call, until the masters are known and connected to.
    pub(crate) async fn settled(&self) {
        let settling = async {
            let mut layout = self.shared.layout.subscribe();
            // Fails only when the keeper is gone; then there is nothing to wait for.
            let _ = layout.wait_for(|layout| layout.masters().next().is_some()).await;
            let layout = layout.borrow().clone();
            for addr in layout.masters() {
                self.shared.link(addr).settled().await;
            }
        };
        let _ = timeout(DEADLINE, settling).await;
    }

    /// How many masters there is a connection to, and to how many there is none.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let layout = self.shared.layout.borrow().clone();
        let (up, down): (Vec<_>, Vec<_>) =
            layout.masters().map(|addr| self.shared.link(addr)).partition(|link| link.is_up());
        (up.len(), down.len())
    }

    /// All nodes that are known, the configured ones included.
    pub(crate) fn nodes(&self) -> Vec<Addr> {
        self.shared.nodes()
    }

    /// Which node serves what, now and later.
    pub(crate) fn layout(&self) -> watch::Receiver<Arc<Layout>> {
        self.shared.layout.subscribe()
    }

    /// The layout may be out of date.
    pub(crate) fn doubt_layout(&self) {
        self.shared.outdated.notify_one();
    }

    /// Makes a request of the master of `key`, or of any.
    pub(crate) async fn send(&self, key: Option<&str>, request: &Request) -> Result<Value, RemoteError> {
        timeout(DEADLINE, self.follow(key, request)).await.unwrap_or(Err(RemoteError::Deadline))
    }

    /// Makes a request and goes where it is sent.
    async fn follow(&self, key: Option<&str>, request: &Request) -> Result<Value, RemoteError> {
        let (mut link, mut asking) = (self.link_for(key).await?, false);
        let mut redirections = 0;
        while redirections < REDIRECTIONS {
            let sent = link.within(
                async |mut to: Connection| {
                    if asking { to.ask(request).await } else { to.send(request).await }
                },
            );
            match sent.await {
                Ok(value) => return Ok(value),
                Err(Failed::Moved(addr)) => {
                    self.shared.outdated.notify_one();
                    redirections += 1;
                    (link, asking) = (self.shared.link(&addr), false);
                }
                Err(Failed::Ask(addr)) => {
                    redirections += 1;
                    (link, asking) = (self.shared.link(&addr), true);
                }
                // Until the deadline.
                Err(Failed::Migrating) => {
                    sleep(MIGRATION_PAUSE).await;
                    (link, asking) = (self.link_for(key).await?, false);
                }
                Err(Failed::Error(error)) => {
                    self.shared.outdated.notify_one();
                    return Err(error);
                }
            }
        }
        Err(RemoteError::Refused("sent from node to node".into()))
    }

    async fn link_for(&self, key: Option<&str>) -> Result<Arc<Link>, RemoteError> {
        let mut layout = self.shared.layout.subscribe();
        let known = timeout(LAYOUT_LIMIT, layout.wait_for(|layout| layout.masters().next().is_some()));
        let layout = match known.await {
            Ok(Ok(layout)) => layout.clone(),
            _ => return Err(RemoteError::Unreachable("no node of the cluster answers".into())),
        };
        let master = match key {
            Some(key) => layout.master_of(key).map(|addr| self.shared.link(addr)),
            None => self.shared.any_master(&layout),
        };
        master.ok_or_else(|| {
            self.shared.outdated.notify_one();
            RemoteError::Unreachable("the cluster has no master for the key".into())
        })
    }
}

impl Shared {
    /// The link to a node, opened now if there is none.
    fn link(&self, addr: &Addr) -> Arc<Link> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(addr) {
            return link.clone();
        }
        let link = Arc::new(Link::open(self.connector.clone(), addr.clone()));
        links.insert(addr.clone(), link.clone());
        link
    }

    /// The link to a master that is connected, if one is, else to any.
    fn any_master(&self, layout: &Layout) -> Option<Arc<Link>> {
        let links: Vec<_> = layout.masters().map(|addr| self.link(addr)).collect();
        links.iter().find(|link| link.is_up()).or(links.first()).cloned()
    }

    fn nodes(&self) -> Vec<Addr> {
        let layout = self.layout.borrow().clone();
        let mut nodes: Vec<Addr> = layout.nodes().chain(&self.seeds).cloned().collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Asks for the layout; whether it was told.
    async fn refresh(&self) -> bool {
        let slots = Request::Command(cmd("CLUSTER").arg("SLOTS").to_owned());
        let linked: Vec<(Addr, Arc<Link>)> = {
            let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
            links
                .iter()
                .filter(|(_, link)| link.is_up())
                .map(|(addr, link)| (addr.clone(), link.clone()))
                .collect()
        };
        let of_linked = linked.into_iter().map(|(addr, link)| {
            let slots = &slots;
            async move {
                let asked = link.within(async |mut to: Connection| to.send(slots).await);
                let answer = timeout(REFRESH_LIMIT, asked).await.ok()?.ok()?;
                Layout::read(answer, &addr)
            }
        });
        let layout = match first(of_linked).await {
            None => {
                let of_others = self.nodes().into_iter().map(|addr| self.ask_unlinked(addr, &slots));
                first(of_others).await
            }
            layout => layout,
        };
        layout.map(|layout| self.adopt(layout)).is_some()
    }

    async fn ask_unlinked(&self, addr: Addr, slots: &Request) -> Option<Layout> {
        let asked = async { self.connector.connect(&addr).await?.send(slots).await };
        Layout::read(timeout(REFRESH_LIMIT, asked).await.ok()?.ok()?, &addr)
    }

    /// Uses a layout: opens links to new masters, and closes those to others.
    fn adopt(&self, layout: Layout) {
        let masters: HashSet<&Addr> = layout.masters().collect();
        self.links.lock().unwrap_or_else(PoisonError::into_inner).retain(|addr, _| masters.contains(addr));
        for addr in masters {
            self.link(addr);
        }
        self.layout.send_if_modified(|current| {
            let changed = **current != layout;
            if changed {
                *current = Arc::new(layout.clone());
            }
            changed
        });
    }
}

/// The first that is told, of all that are asked at the same time.
async fn first(asked: impl Iterator<Item = impl Future<Output = Option<Layout>>>) -> Option<Layout> {
    let mut asked: FuturesUnordered<_> = asked.collect();
    while let Some(answer) = asked.next().await {
        if answer.is_some() {
            return answer;
        }
    }
    None
}

/// Keeps the layout up to date.
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
