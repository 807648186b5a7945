//! How many HTTP connections one network may have at this node, and which of them make room for others.
//!
//! A WebSocket leaves with its handshake: it has limits of its own. A proxy of this machine, and those that
//! `httpq.trusted_proxies` names, bring the connections of everybody and are not counted.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use ipnet::IpNet;
use prometheus::{IntCounterVec, Opts, Registry};

use super::peer::{self, TrustedProxies};

/// Of a network with too many connections so many are looked at for one that is idle, the oldest first.
const LOOKED_AT: usize = 1024;

/// The connections of each network; clones share them.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    /// 0 is no limit.
    limit: usize,
    proxies: TrustedProxies,
    networks: Mutex<HashMap<IpNet, BTreeMap<u64, Arc<Seat>>>>,
    next: AtomicU64,
    /// Those that were refused, or closed while they were idle.
    limited: IntCounterVec,
}

/// A connection, as others of its network see it.
#[derive(Debug, Default)]
pub struct Seat {
    is_idle: AtomicBool,
    /// It makes room for another.
    is_leaving: AtomicBool,
    reader: AtomicWaker,
}

/// The network has as many connections as it may have, and none of them is idle.
#[derive(Debug, thiserror::Error)]
#[error("too many connections of one network")]
pub struct TooMany;

/// A connection that is counted, until this is dropped.
pub struct Counted(Option<Place>);

struct Place {
    shared: Arc<Shared>,
    network: IpNet,
    id: u64,
    seat: Arc<Seat>,
}

impl Connections {
    /// Allows `limit` connections of a network; 0 is no limit. Registers `liveloom_http_connections_limited_total`.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn new(limit: usize, proxies: TrustedProxies, registry: &Registry) -> prometheus::Result<Self> {
        let help = "HTTP connections of networks that have too many.";
        let opts = Opts::new("http_connections_limited_total", help).namespace("liveloom");
        let limited = IntCounterVec::new(opts, &["how"])?;
        for how in ["closed", "refused"] {
            limited.with_label_values(&[how]);
        }
        registry.register(Box::new(limited.clone()))?;
        let (networks, next) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self(Arc::new(Shared { limit, proxies, networks, next, limited })))
    }

    /// Counts a connection. Where its network has too many, one of them that is idle is closed.
    ///
    /// # Errors
    /// When none is.
    pub fn enter(&self, peer: Option<IpAddr>) -> Result<Counted, TooMany> {
        let shared = &self.0;
        let Some(ip) = peer.map(|ip| ip.to_canonical()).filter(|ip| shared.counts(*ip)) else {
            return Ok(Counted(None));
        };
        let (network, seat) = (peer::network(ip), Arc::new(Seat::default()));
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        let mut networks = shared.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let seats = networks.entry(network).or_default();
        if seats.len() >= shared.limit {
            let leaves = |seat: &&Arc<Seat>| {
                seat.is_idle.load(Ordering::Acquire) && !seat.is_leaving.swap(true, Ordering::AcqRel)
            };
            let Some(leaving) = seats.values().take(LOOKED_AT).find(leaves) else {
                shared.limited.with_label_values(&["refused"]).inc();
                return Err(TooMany);
            };
            leaving.reader.wake();
            shared.limited.with_label_values(&["closed"]).inc();
        }
        seats.insert(id, Arc::clone(&seat));
        drop(networks);
        Ok(Counted(Some(Place { shared: Arc::clone(shared), network, id, seat })))
    }
}

impl Shared {
    fn counts(&self, ip: IpAddr) -> bool {
        let is_this_machine = ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
        self.limit > 0 && !is_this_machine && !self.proxies.holds(&ip)
    }
}

impl Counted {
    /// Where the connection says what it does; None when it is not counted.
    #[must_use]
    pub fn seat(&self) -> Option<Arc<Seat>> {
        self.0.as_ref().map(|place| Arc::clone(&place.seat))
    }
}

impl Seat {
    /// Whether the connection is to be closed as soon as nothing is asked on it; the task of `context` is woken
    /// when it is.
    pub fn leaves(&self, context: &Context<'_>) -> bool {
        self.reader.register(context.waker());
        self.is_leaving.load(Ordering::Acquire)
    }

    /// Says whether nothing is asked on the connection.
    pub fn set_idle(&self, is_idle: bool) {
        self.is_idle.store(is_idle, Ordering::Release);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.shared.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = networks.get_mut(&self.network) {
            seats.remove(&self.id);
            if seats.is_empty() {
                networks.remove(&self.network);
            }
        }
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Counted").field(&self.0.as_ref().map(|place| place.network)).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn connections(limit: usize) -> Connections {
        let proxies = TrustedProxies::new(&["10.0.0.0/8".parse().unwrap()]);
        Connections::new(limit, proxies, &Registry::new()).unwrap()
    }

    #[test]
    fn an_idle_connection_makes_room_and_a_busy_one_does_not() {
        let (connections, idle) = (connections(2), Context::from_waker(Waker::noop()));
        let enter = |ip: &str| connections.enter(Some(ip.parse().unwrap()));
        let (first, second) = (enter("192.0.2.1").unwrap(), enter("192.0.2.1").unwrap());
        assert!(enter("192.0.2.1").is_err(), "both may be about to ask");
        let seat = first.seat().unwrap();
        seat.set_idle(true);
        assert!(!seat.leaves(&idle));
        let third = enter("192.0.2.1").unwrap();
        assert!(seat.leaves(&idle), "it is closed");
        assert!(enter("192.0.2.1").is_err(), "once");
        assert!(enter("192.0.2.2").is_ok(), "another network has its own");
        drop((first, second, third));
        assert!(connections.0.networks.lock().unwrap().is_empty(), "nothing stays of who is gone");
    }

    #[test]
    fn proxies_are_not_counted_and_zero_is_no_limit() {
        let limited = connections(1);
        for ip in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3"] {
            let all: Vec<_> = (0..10).map_while(|_| limited.enter(Some(ip.parse().unwrap())).ok()).collect();
            assert_eq!(all.len(), 10, "{ip}");
        }
        let unlimited = connections(0);
        let ip = Some("192.0.2.1".parse().unwrap());
        assert_eq!((0..10).map_while(|_| unlimited.enter(ip).ok()).collect::<Vec<_>>().len(), 10);
    }
}
