//! The wall clock behind a trait, so that tests can move time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// Whole milliseconds of `duration`; of one without end so many that an instant added to them fits too.
#[must_use]
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// A source of the current instant.
pub trait Clock: Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;

    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64 {
        self.now().timestamp_millis()
    }
}

/// A clock that is handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that goes on evenly, however the machine's clock is set: for spans of time, not for times of day.
#[derive(Clone, Copy, Debug)]
pub struct SteadyClock {
    start: DateTime<Utc>,
    started: Instant,
}

impl SteadyClock {
    /// A clock that shows `at` now.
    #[must_use]
    pub fn starting_at(at: DateTime<Utc>) -> Self {
        Self { start: at, started: Instant::now() }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.started.elapsed()).unwrap_or(TimeDelta::MAX);
        self.start.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock {
    ms: AtomicI64,
}

impl ManualClock {
    /// A clock standing at `at`.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { ms: AtomicI64::new(at.timestamp_millis()) })
    }

    /// Moves the clock by `by`, which may be negative.
    pub fn advance(&self, by: TimeDelta) {
        self.ms.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.ms.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// The life of something that expires, in whole milliseconds: at least one, as in Redis, where a life of
/// zero is an error.
#[must_use]
pub fn life_ms(life: Duration) -> i64 {
    millis(life).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_whole_milliseconds() {
        assert_eq!(millis(Duration::from_micros(1_999)), 1);
    }

    #[test]
    fn an_instant_may_be_added_to_the_longest_duration() {
        assert!(SystemClock.now_ms().checked_add(millis(Duration::MAX)).is_some());
    }
}
