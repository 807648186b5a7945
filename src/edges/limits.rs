//! How much a peer may ask for, on any endpoint.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;

use common::failure::{Failure, Kind, Wait};

/// Requests a second of one connection, and at once.
const REQUESTS: (u32, u32) = (20, 60);
/// Refused requests without a pause, until the connection is closed.
const FLOOD: u32 = 300;
/// Frames without a part of a message a second of one connection, and at once: pings, pongs, empty fragments.
const EMPTY_FRAMES: (u32, u32) = (10, 100);
/// Bytes a second that one connection may read of what is kept of channels, and at once.
const HISTORY: (u32, u32) = (512 * 1024, 4 * 1024 * 1024);

/// Too many calls.
#[derive(Debug, thiserror::Error)]
#[error("too many requests, try again in {}", Wait(*.wait))]
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

/// A generic cell rate algorithm (ITU-T I.371).
struct CellRate {
    /// When what came so far is worked off.
    free_at: Duration,
}

impl CellRate {
    fn new(now: Duration) -> Self {
        Self { free_at: now }
    }

    /// Takes what is worked off in `cost`, unless more than `burst` would be waiting then.
    ///
    /// # Errors
    /// After how long it would be taken.
    fn take(&mut self, now: Duration, cost: Duration, burst: Duration) -> Result<(), Duration> {
        let free_at = self.free_at.max(now) + cost;
        let allowed = now + burst;
        if free_at > allowed {
            return Err(free_at - allowed);
        }
        self.free_at = free_at;
        Ok(())
    }
}

/// What one of so many a second costs, and as many as may come at once.
fn cost_and_burst((per_second, burst): (u32, u32)) -> (Duration, Duration) {
    let each = Duration::from_secs(1) / per_second;
    (each, each * burst)
}

/// The limit of one connection's requests.
pub(super) struct RequestLimit {
    rate: CellRate,
    refused: u32,
}

impl RequestLimit {
    pub(super) fn new(now: Duration) -> Self {
        Self { rate: CellRate::new(now), refused: 0 }
    }

    /// Counts a request.
    pub(super) fn check(&mut self, now: Duration) -> Result<(), TooMany> {
        // Who waited is forgiven.
        if self.rate.free_at <= now {
            self.refused = 0;
        }
        let (cost, burst) = cost_and_burst(REQUESTS);
        self.rate.take(now, cost, burst).map_err(|wait| {
            self.refused += 1;
            TooMany { wait, is_flood: self.refused >= FLOOD }
        })
    }
}

/// The limit of one connection's frames that carry nothing.
pub(super) struct EmptyFrames(CellRate);

impl EmptyFrames {
    pub(super) fn new(now: Duration) -> Self {
        Self(CellRate::new(now))
    }

    /// Counts a frame; false when the peer floods.
    pub(super) fn check(&mut self, now: Duration) -> bool {
        let (cost, burst) = cost_and_burst(EMPTY_FRAMES);
        self.0.take(now, cost, burst).is_ok()
    }
}

/// How much one connection may read of what is kept. What a request will read is not known before: it is paid
/// afterwards, and the next waits until that is worked off.
pub(super) struct HistoryBudget(CellRate);

impl HistoryBudget {
    pub(super) fn new(now: Duration) -> Self {
        Self(CellRate::new(now))
    }

    /// How long a request has to wait.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let (per_second, burst) = HISTORY;
        let burst = Duration::from_secs(1) * burst / per_second;
        self.0.free_at.saturating_sub(now + burst)
    }

    /// Counts what was read.
    pub(super) fn pay(&mut self, now: Duration, bytes: usize) {
        let (per_second, _) = HISTORY;
        let cost = Duration::from_secs(1) / per_second * u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.free_at = self.0.free_at.max(now) + cost;
    }
}

/// Connections of each client address ([`crate::rest::peer::network`]).
pub type AddressCount = ConnectionCount<IpNet>;

/// How many connections each owner has at this node; clones share the count.
#[derive(Clone)]
pub struct ConnectionCount<K: Eq + Hash> {
    /// 0 is no limit.
    limit: u32,
    open: Arc<Mutex<HashMap<K, u32>>>,
}

/// One connection of an owner, until this is dropped.
pub(super) struct Counted<K: Eq + Hash> {
    owner: K,
    open: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Clone + Eq + Hash> ConnectionCount<K> {
    /// Allows `limit` connections of an owner; 0 is no limit.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self { limit, open: Arc::default() }
    }

    /// Counts a connection; None when the owner has as many as they may have.
    pub(super) fn enter(&self, owner: K) -> Option<Counted<K>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(owner.clone()).or_default();
        if self.limit > 0 && *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Counted { owner, open: Arc::clone(&self.open) })
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.owner);
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
        let count = ConnectionCount::new(2);
        let (one, other) = ("10.0.0.1", "10.0.0.2");
        let (first, second) = (count.enter(one), count.enter(one));
        assert!(first.is_some() && second.is_some() && count.enter(one).is_none());
        assert!(count.enter(other).is_some());
        drop(first);
        assert!(count.enter(one).is_some());
        drop(second);
        assert!(count.open.lock().is_ok_and(|open| open.is_empty()), "nothing stays of who is gone");
        let unlimited = ConnectionCount::new(0);
        let all: Vec<_> = (0..100).map_while(|_| unlimited.enter(one)).collect();
        assert_eq!(all.len(), 100);
    }

    #[test]
    fn empty_frames_are_a_flood_when_they_do_not_end() {
        let (mut now, mut frames) = (Duration::from_secs(5), EmptyFrames::new(Duration::from_secs(5)));
        assert_eq!((0..1000).take_while(|_| frames.check(now)).count(), 100);
        for _ in 0..1000 {
            now += Duration::from_millis(100);
            assert!(frames.check(now), "ten a second are none");
        }
    }

    #[test]
    fn history_is_paid_after_it_was_read() {
        let (now, mut budget) = (Duration::from_secs(5), HistoryBudget::new(Duration::from_secs(5)));
        budget.pay(now, 4 * 1024 * 1024);
        assert_eq!(budget.wait(now), Duration::ZERO, "a burst passes");
        budget.pay(now, 512 * 1024);
        let wait = budget.wait(now);
        assert!(wait > Duration::from_millis(900) && wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(budget.wait(now + Duration::from_secs(1)), Duration::ZERO);
    }
}
