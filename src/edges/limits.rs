//! How much a peer may ask for, on any endpoint.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Failure, Kind};

/// Requests a second of one connection, and at once.
const REQUESTS: (u32, u32) = (20, 60);
/// Refused requests without a pause, until the connection is closed.
const FLOOD: u32 = 300;

/// Too many calls.
#[derive(Debug, thiserror::Error)]
#[error("too many requests, try again in {} ms", .wait.as_millis())]
pub struct TooMany {
    pub(super) wait: Duration,
    /// Whether the peer does not heed the limit at all.
    pub(super) is_flood: bool,
}

impl Failure for TooMany {
    fn kind(&self) -> Kind {
        Kind::RateLimited(self.wait)
    }
}

/// The limit of one connection's requests: a generic cell rate algorithm (ITU-T I.371) in 12 bytes.
pub(super) struct RequestLimit {
    /// When the requests so far are worked off.
    free_at: Duration,
    refused: u32,
}

impl RequestLimit {
    pub(super) fn new(now: Duration) -> Self {
        Self { free_at: now, refused: 0 }
    }

    /// Counts a request.
    pub(super) fn check(&mut self, now: Duration) -> Result<(), TooMany> {
        let (per_second, burst) = REQUESTS;
        let each = Duration::from_secs(1) / per_second;
        let free_at = self.free_at.max(now) + each;
        let allowed = now + each * burst;
        if free_at > allowed {
            self.refused += 1;
            return Err(TooMany { wait: free_at - allowed, is_flood: self.refused >= FLOOD });
        }
        // Who waited is forgiven.
        if self.free_at <= now {
            self.refused = 0;
        }
        self.free_at = free_at;
        Ok(())
    }
}

/// How many connections each client address has at this node; clones share the count.
#[derive(Clone)]
pub struct AddressCount {
    /// 0 is no limit.
    limit: u32,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// One connection of an address, until this is dropped.
pub(super) struct Counted {
    address: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl AddressCount {
    /// Allows `limit` connections of an address; 0 is no limit.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self { limit, open: Arc::default() }
    }

    /// Counts a connection; None when the address has as many as it may have.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Counted> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if self.limit > 0 && *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Counted { address, open: Arc::clone(&self.open) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_so_many_a_second_and_a_flood_is_told() {
        let (mut now, mut limit) = (Duration::from_secs(5), RequestLimit::new(Duration::from_secs(5)));
        let passed = (0..100).take_while(|_| limit.check(now).is_ok()).count();
        assert_eq!(passed, 60);
        now += Duration::from_millis(50);
        assert!(limit.check(now).is_ok());
        let refused = limit.check(now).err();
        assert_eq!(
            refused.map(|error| (error.wait, error.is_flood)),
            Some((Duration::from_millis(50), false))
        );
        assert!((0..400).any(|_| limit.check(now).is_err_and(|error| error.is_flood)));
        now += Duration::from_secs(60);
        assert!(limit.check(now).is_ok());
        assert_eq!(limit.refused, 0, "who waited is forgiven");
    }

    #[test]
    fn an_address_has_so_many_connections_at_once() {
        let count = AddressCount::new(2);
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let (first, second) = (count.enter(one), count.enter(one));
        assert!(first.is_some() && second.is_some() && count.enter(one).is_none());
        assert!(count.enter(other).is_some());
        drop(first);
        assert!(count.enter(one).is_some());
        drop(second);
        assert!(count.open.lock().is_ok_and(|open| open.is_empty()), "nothing stays of who is gone");
        let unlimited = AddressCount::new(0);
        let all: Vec<_> = (0..100).map_while(|_| unlimited.enter(one)).collect();
        assert_eq!(all.len(), 100);
    }
}
