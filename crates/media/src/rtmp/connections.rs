//! How many connections there are, and how many from one address that nobody accepted yet.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::hub::{network, release};
use crate::lock::lock;

/// What a server has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerStats {
    /// Connections now.
    pub connections: usize,
    /// Connections that were not taken, refused or cut, by why.
    pub refusals: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    max: usize,
    per_address: usize,
    strangers: Mutex<HashMap<IpAddr, usize>>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
}

impl Connections {
    pub(super) fn new(max: usize, per_address: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(max)),
            max,
            per_address,
            strangers: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    /// A place for a connection, or `None` when there is none.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<(OwnedSemaphorePermit, Stranger)> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.refused("too_many_connections");
            return None;
        };
        let address = network(address);
        let mut strangers = lock(&self.strangers);
        let count = strangers.entry(address).or_insert(0);
        if *count >= self.per_address {
            self.refused("too_many_from_address");
            return None;
        }
        *count += 1;
        Some((place, Stranger { connections: Arc::clone(self), address }))
    }

    pub(super) fn refused(&self, why: &'static str) {
        *lock(&self.refusals).entry(why).or_insert(0) += 1;
    }

    pub(super) fn stats(&self) -> ServerStats {
        let connections = self.max - self.places.available_permits();
        ServerStats { connections, refusals: lock(&self.refusals).clone() }
    }
}

/// Somebody who was not accepted yet. Dropped when they are, or leave.
#[derive(Debug)]
pub(super) struct Stranger {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        release(&mut lock(&self.connections.strangers), self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_and_all_are_limited() {
        let connections = Arc::new(Connections::new(3, 2));
        let take = |address: &str| connections.take(address.parse().unwrap());
        let first = take("10.0.0.1").unwrap();
        let (_place, stranger) = take("10.0.0.1").unwrap();
        assert!(take("10.0.0.1").is_none());
        // Once accepted, they are not counted for their address.
        drop(stranger);
        let _third = take("10.0.0.1").unwrap();
        assert!(take("10.0.0.9").is_none());
        drop(first);
        assert_eq!(connections.stats().connections, 2);
        assert_eq!(connections.stats().refusals.len(), 2);
    }
}
