//! Limits per user, at one node: what one token can make others store.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::rate_limit::RateLimited;

/// Calls between two clean-ups of users who have been quiet.
const SWEEP_EVERY: u32 = 4096;

const HOUR: Duration = Duration::from_secs(3600);

/// A limit for each user.
#[derive(Debug)]
pub struct UserLimit {
    limiter: Option<Limiter>,
    calls: AtomicU32,
}

#[derive(Debug)]
struct Limiter {
    /// By hashes of their ids: two who share one share a limit.
    users: DefaultKeyedRateLimiter<u64>,
    hasher: RandomState,
    burst: NonZeroU32,
}

impl UserLimit {
    /// A limit of so many calls a second, with a burst of twice that; 0 is no limit.
    #[must_use]
    pub fn per_second(calls: u32) -> Self {
        Self::of(NonZeroU32::new(calls).map(|rate| {
            let burst = rate.saturating_add(rate.get());
            (Quota::per_second(rate).allow_burst(burst), burst)
        }))
    }

    /// A limit of so many calls an hour, all of them at once if need be; 0 is no limit.
    #[must_use]
    pub fn per_hour(calls: u32) -> Self {
        Self::of(NonZeroU32::new(calls).and_then(|calls| {
            let quota = Quota::with_period(HOUR / calls.get())?;
            Some((quota.allow_burst(calls), calls))
        }))
    }

    fn of(quota: Option<(Quota, NonZeroU32)>) -> Self {
        let limiter = quota.map(|(quota, burst)| Limiter {
            users: RateLimiter::keyed(quota),
            hasher: RandomState::new(),
            burst,
        });
        Self { limiter, calls: AtomicU32::new(0) }
    }

    /// Counts a call of `user_id`.
    ///
    /// # Errors
    /// [`RateLimited`] with the time after which a call passes again.
    pub fn check(&self, user_id: &str) -> Result<(), RateLimited> {
        self.check_many(user_id, 1)
    }

    /// Counts a call that is worth `calls`; one that is worth more than a burst counts as a burst.
    ///
    /// # Errors
    /// As [`UserLimit::check`].
    pub fn check_many(&self, user_id: &str, calls: usize) -> Result<(), RateLimited> {
        let (Some(limiter), Some(calls)) = (&self.limiter, worth(calls)) else { return Ok(()) };
        if self.calls.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            limiter.users.retain_recent();
        }
        let user = limiter.hasher.hash_one(user_id);
        match limiter.users.check_key_n(&user, calls.min(limiter.burst)) {
            Ok(Err(until)) => {
                Err(RateLimited::for_the_next(until.wait_time_from(DefaultClock::default().now())))
            }
            // Not more than a burst is ever asked for.
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}

fn worth(calls: usize) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(calls).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_a_burst_of_their_own() {
        let limit = UserLimit::per_second(2);
        let passed = |user| (0..10).filter(|_| limit.check(user).is_ok()).count();
        // One more may have come while it was counted.
        assert!((4..=5).contains(&passed("alice")));
        assert!((4..=5).contains(&passed("bob")));
    }

    #[test]
    fn an_hours_calls_may_come_at_once() {
        let limit = UserLimit::per_hour(3);
        assert_eq!((0..10).filter(|_| limit.check("alice").is_ok()).count(), 3);
        assert!(limit.check("bob").is_ok());
    }

    #[test]
    fn a_call_may_be_worth_several() {
        let limit = UserLimit::per_hour(5);
        assert!(limit.check_many("alice", 0).is_ok() && limit.check_many("alice", 4).is_ok());
        assert!(limit.check_many("alice", 2).is_err());
        assert!(limit.check("alice").is_ok());
        assert!(limit.check_many("bob", 1_000_000).is_ok(), "as much as a burst");
        assert!(limit.check("bob").is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        for limit in [UserLimit::per_second(0), UserLimit::per_hour(0)] {
            assert!((0..1000).all(|_| limit.check("alice").is_ok()));
        }
    }
}
