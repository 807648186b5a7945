//! How many may watch, all together and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::Protocol;
use super::error::WatchError;
use super::limits::HubLimits;
use crate::lock::lock;

/// Who wants to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    /// How they receive. [`Protocol::Node`] is not limited: its viewers are counted where they are.
    pub protocol: Protocol,
    /// Their address, if it is known.
    pub address: Option<IpAddr>,
}

/// Viewers that are there now.
#[derive(Debug, Default)]
pub(super) struct Seats {
    total: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// A viewer's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    address: Option<IpAddr>,
}

impl Seats {
    pub(super) fn take(
        self: &Arc<Self>,
        audience: Audience,
        limits: &HubLimits,
    ) -> Result<Option<Seat>, WatchError> {
        if audience.protocol == Protocol::Node {
            return Ok(None);
        }
        let address = audience.address.map(network);
        if let Some(address) = address {
            let mut by_address = lock(&self.by_address);
            let count = by_address.entry(address).or_insert(0);
            if *count >= limits.viewers_per_address {
                return Err(WatchError::TooManyFromAddress);
            }
            *count += 1;
        }
        // From here on the seat gives back what was counted.
        let seat = Seat { seats: Arc::clone(self), address };
        if self.total.fetch_add(1, Ordering::Relaxed) >= limits.max_viewers {
            return Err(WatchError::TooMany);
        }
        Ok(Some(seat))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.total.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = self.address {
            release(&mut lock(&self.seats.by_address), address);
        }
    }
}

/// Counts one less, and forgets an address without any.
pub(crate) fn release(counts: &mut HashMap<IpAddr, usize>, address: IpAddr) {
    if let Some(count) = counts.get_mut(&address) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&address);
        }
    }
}

/// What is counted as one address: an IPv4 address, or the /64 of an IPv6 one, all of which one host may use.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(address: &str) -> Audience {
        Audience { protocol: Protocol::HttpFlv, address: Some(address.parse().unwrap()) }
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let limits = HubLimits { max_viewers: 3, viewers_per_address: 2, ..HubLimits::default() };
        let seats = Arc::new(Seats::default());
        let first = seats.take(viewer("10.0.0.1"), &limits).unwrap();
        let _second = seats.take(viewer("::ffff:10.0.0.1"), &limits).unwrap();
        assert_eq!(seats.take(viewer("10.0.0.1"), &limits).unwrap_err(), WatchError::TooManyFromAddress);
        let _third = seats.take(viewer("2001:db8::1"), &limits).unwrap();
        assert_eq!(seats.take(viewer("10.0.0.2"), &limits).unwrap_err(), WatchError::TooMany);
        assert!(seats.take(Audience { protocol: Protocol::Node, address: None }, &limits).unwrap().is_none());
        drop(first);
        let _fourth = seats.take(viewer("10.0.0.1"), &limits).unwrap();
        assert_eq!(lock(&seats.by_address).len(), 2);
    }

    #[test]
    fn a_host_is_one_address_whichever_it_uses() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
    }
}
