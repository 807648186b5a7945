//! How much a peer may ask for.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::RealtimeConfig;
use crate::error::{Failure, Kind};

/// Requests a second of one connection, and at once.
const REQUESTS: (u32, u32) = (20, 60);
/// Refused requests without a pause, until the connection is closed.
const FLOOD: u32 = 300;
/// Publications between two clean-ups of users who have been quiet.
const SWEEP_EVERY: u32 = 4096;

/// Too many calls.
#[derive(Debug, thiserror::Error)]
#[error("too many requests, try again in {} ms", .wait.as_millis())]
pub struct TooMany {
    wait: Duration,
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

/// The limits of publishing, for each user and channel, over all connections that they have at this
/// node; and of each room.
pub struct PublishLimits {
    users: Option<DefaultKeyedRateLimiter<(Arc<str>, Arc<str>)>>,
    /// Messages of clients a second in one room, over all nodes.
    pub per_room: Option<u32>,
    calls: AtomicU32,
}

impl PublishLimits {
    /// The limits of `config`.
    #[must_use]
    pub fn new(config: &RealtimeConfig) -> Self {
        let users = NonZeroU32::new(config.publish_per_user_s).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        });
        let per_room = Some(config.publish_per_room_s).filter(|rate| *rate > 0);
        Self { users, per_room, calls: AtomicU32::new(0) }
    }

    /// Counts a message of a user.
    pub(super) fn check(&self, user_id: Arc<str>, channel: Arc<str>) -> Result<(), TooMany> {
        let Some(limiter) = &self.users else { return Ok(()) };
        if self.calls.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&(user_id, channel)).map_err(|until| TooMany {
            wait: until.wait_time_from(DefaultClock::default().now()),
            is_flood: false,
        })
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
}
