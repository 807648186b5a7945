//! Limits per client address on the routes that need no credentials.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use super::peer;
use common::failure::{Failure, Kind, Wait};

/// Calls between two clean-ups of addresses that have been quiet.
const SWEEP_EVERY: u32 = 4096;

/// Too many calls from one address, or of one user.
#[derive(Debug, thiserror::Error)]
#[error("too many requests, try again in {}", Wait(*.0))]
pub struct RateLimited(Duration);

impl RateLimited {
    /// No further call passes for `wait`.
    #[must_use]
    pub fn for_the_next(wait: Duration) -> Self {
        Self(wait)
    }

    /// How long no further call passes.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.0
    }
}

impl Failure for RateLimited {
    fn kind(&self) -> Kind {
        Kind::RateLimited(self.0)
    }
}

/// Which limit per address holds for some routes; a value of the application.
pub trait LimitsAddresses: 'static {
    /// The limit.
    fn of_address(&self) -> &AddressLimit;
}

/// A limit of so many calls a second for each address ([`peer::network`]), with a burst of twice that.
#[derive(Debug)]
pub struct AddressLimit {
    limiter: Option<DefaultKeyedRateLimiter<IpNet>>,
    calls: AtomicU32,
}

impl AddressLimit {
    /// A limit of `per_second` calls; 0 is no limit.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let limiter = NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        });
        Self { limiter, calls: AtomicU32::new(0) }
    }

    /// Counts a call from `ip`.
    ///
    /// # Errors
    /// [`RateLimited`] with the time after which a call passes again.
    pub fn check(&self, ip: IpAddr) -> Result<(), RateLimited> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.calls.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter
            .check_key(&peer::network(ip))
            .map_err(|until| RateLimited(until.wait_time_from(DefaultClock::default().now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_been_quiet_is_forgotten() {
        let limit = AddressLimit::new(1_000_000);
        for number in 0..5 * SWEEP_EVERY {
            assert!(limit.check(IpAddr::from(number.to_be_bytes())).is_ok());
        }
        let kept = limit.limiter.as_ref().map_or(0, DefaultKeyedRateLimiter::len);
        assert!(kept <= 2 * SWEEP_EVERY as usize, "{kept} addresses are kept");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let limit = AddressLimit::new(1);
        let of = |network: u16, host: u16| IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, host]);
        let passed = (0..200).filter(|&host| limit.check(of(1, host)).is_ok()).count();
        assert!((2..20).contains(&passed), "{passed} of 200 calls from one /64 passed");
        assert!(limit.check(of(2, 0)).is_ok(), "another network has its own");
    }
}
