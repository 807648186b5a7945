//! Pauses between attempts to log in, which grow with the failures of one account from one network.
//!
//! Never of an account alone, or anybody could lock an operator out by guessing. Kept by each node for itself,
//! in bounded memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::rest::rate_limit::RateLimited;
use common::clock::SharedClock;

/// The first pause, in milliseconds; each further one is twice as long.
const FIRST_PAUSE_MS: i64 = 1000;
const LONGEST_PAUSE_MS: i64 = 15 * 60 * 1000;
/// Failures are forgotten when nobody has tried for this long.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Accounts and networks that are remembered.
const CAPACITY: u64 = 100_000;

/// An account and where somebody tries to log in from.
type Key = [u8; 32];

#[derive(Default)]
struct Failures {
    count: u32,
    /// When the next attempt may be made, in Unix milliseconds.
    until_ms: i64,
}

/// The failures so far.
pub(super) struct Attempts {
    /// How many are without a pause; 0: all.
    free: u32,
    failures: Cache<Key, Arc<Mutex<Failures>>>,
    clock: SharedClock,
}

/// An attempt that was let through. It counts as a failure until it is said to be none, so that many at once
/// are not more than one after the other.
#[must_use]
pub(super) struct Attempt(Option<Counted>);

struct Counted {
    failures: Arc<Mutex<Failures>>,
    free: u32,
    clock: SharedClock,
}

impl Attempts {
    /// Pauses begin after `free` failures; 0 is without pauses.
    pub(super) fn new(free: u32, clock: SharedClock) -> Self {
        let failures = Cache::builder().max_capacity(CAPACITY).time_to_idle(KEPT).build();
        Self { free, failures, clock }
    }

    /// Begins an attempt to log in as `account` from `place`.
    ///
    /// # Errors
    /// [`RateLimited`] with the rest of the pause.
    pub(super) fn begin(&self, account: &str, place: IpNet) -> Result<Attempt, RateLimited> {
        if self.free == 0 {
            return Ok(Attempt(None));
        }
        let shared = self.failures.get_with(key(account, place), Arc::default);
        let mut failures = lock(&shared);
        let now = self.clock.now_ms();
        if let Ok(left) = u64::try_from(failures.until_ms - now)
            && left > 0
        {
            return Err(RateLimited::for_the_next(Duration::from_millis(left)));
        }
        failures.count = failures.count.saturating_add(1);
        failures.until_ms = now + pause_ms(failures.count, self.free);
        drop(failures);
        let counted = Counted { failures: shared, free: self.free, clock: Arc::clone(&self.clock) };
        Ok(Attempt(Some(counted)))
    }
}

impl Attempt {
    /// The password was right: the failures before are forgotten.
    pub(super) fn succeeded(self) {
        if let Some(counted) = self.0 {
            *lock(&counted.failures) = Failures::default();
        }
    }

    /// The password was wrong: the pause begins now, however long the check has taken.
    pub(super) fn failed(self) {
        if let Some(counted) = self.0 {
            let mut failures = lock(&counted.failures);
            failures.until_ms = counted.clock.now_ms() + pause_ms(failures.count, counted.free);
        }
    }

    /// Nothing was found out about the password.
    pub(super) fn came_to_nothing(self) {
        if let Some(counted) = self.0 {
            let mut failures = lock(&counted.failures);
            failures.count = failures.count.saturating_sub(1);
            failures.until_ms = 0;
        }
    }
}

fn lock(failures: &Mutex<Failures>) -> MutexGuard<'_, Failures> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pause_ms(count: u32, free: u32) -> i64 {
    match count.checked_sub(free) {
        None => 0,
        Some(doublings) => {
            FIRST_PAUSE_MS.checked_shl(doublings.min(20)).unwrap_or(LONGEST_PAUSE_MS).min(LONGEST_PAUSE_MS)
        }
    }
}

fn key(account: &str, place: IpNet) -> Key {
    Sha256::new().chain_update(place.to_string()).chain_update(" ").chain_update(account).finalize().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;
    use crate::rest::peer;
    use common::clock::ManualClock;

    fn net(text: &str) -> IpNet {
        peer::wide_network(text.parse().unwrap())
    }

    #[test]
    fn pauses_grow_from_the_fifth_failure_on_and_end_with_a_success() {
        let clock = ManualClock::new(Utc::now());
        let attempts = Attempts::new(5, clock.clone());
        let here = net("192.0.2.7");
        for _ in 0..5 {
            assert!(attempts.begin("root", here).is_ok());
        }
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let limited = attempts.begin("root", here).err().unwrap();
            pauses.push(limited.wait().as_secs());
            clock.advance(TimeDelta::from_std(limited.wait()).unwrap() - TimeDelta::milliseconds(1));
            assert!(attempts.begin("root", here).is_err(), "not a millisecond too early");
            clock.advance(TimeDelta::milliseconds(1));
            attempts.begin("root", here).ok().unwrap().failed();
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        clock.advance(TimeDelta::seconds(900));
        attempts.begin("root", here).ok().unwrap().succeeded();
        for _ in 0..5 {
            assert!(attempts.begin("root", here).is_ok(), "begins anew");
        }
        assert!(attempts.begin("root", here).is_err());
    }

    #[test]
    fn an_account_is_not_locked_for_other_networks_nor_a_network_for_other_accounts() {
        let attempts = Attempts::new(5, ManualClock::new(Utc::now()));
        for _ in 0..6 {
            drop(attempts.begin("root", net("2001:db8:1:2::1")));
        }
        assert!(attempts.begin("root", net("2001:db8:1:2:3:4:5:6")).is_err(), "of the same /64");
        assert!(attempts.begin("root", net("2001:db8:1:3::1")).is_ok());
        assert!(attempts.begin("other", net("2001:db8:1:2::1")).is_ok());
        for _ in 0..6 {
            drop(attempts.begin("root", net("192.0.2.7")));
        }
        assert!(attempts.begin("root", net("192.0.2.200")).is_err(), "of the same /24");
        assert!(attempts.begin("root", net("::ffff:192.0.2.9")).is_err(), "however it is spelled");
        assert!(
            attempts.begin("root", peer::network("192.0.2.200".parse().unwrap())).is_ok(),
            "counted by itself"
        );
        assert!(attempts.begin("root", net("192.0.3.7")).is_ok());
    }

    #[test]
    fn what_came_to_nothing_is_no_failure_and_zero_is_no_pause() {
        let attempts = Attempts::new(5, ManualClock::new(Utc::now()));
        for _ in 0..20 {
            attempts.begin("root", net("192.0.2.7")).ok().unwrap().came_to_nothing();
        }
        let without = Attempts::new(0, ManualClock::new(Utc::now()));
        for _ in 0..20 {
            assert!(without.begin("root", net("192.0.2.7")).is_ok());
        }
    }
}
