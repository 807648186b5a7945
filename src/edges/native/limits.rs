//! How much users may publish.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::edges::limits::TooMany;
use config::RealtimeConfig;

/// Publications between two clean-ups of users who have been quiet.
const SWEEP_EVERY: u32 = 4096;

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
