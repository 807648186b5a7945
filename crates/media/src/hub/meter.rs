//! How much comes in: bytes of the last ten seconds.

use tokio::time::Instant;

const SECONDS: usize = 10;

/// Bytes per second of the last ten, in buckets.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    buckets: [u64; SECONDS],
    /// The second that the newest bucket counts, since the start.
    second: u64,
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { start: now, buckets: [0; SECONDS], second: 0 }
    }

    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        self.advance(now);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(slot(self.second)) {
            *bucket = bucket.saturating_add(bytes);
        }
    }

    /// Bytes of the last ten seconds.
    pub(crate) fn total(&self) -> u64 {
        self.buckets.iter().fold(0, |sum, bucket| sum.saturating_add(*bucket))
    }

    /// Kilobits per second, a mean of the last ten seconds or of those since the start.
    pub(crate) fn kbps(&mut self, now: Instant) -> u64 {
        self.advance(now);
        let full = u64::try_from(SECONDS).unwrap_or(1);
        let milliseconds =
            now.saturating_duration_since(self.start).as_millis().clamp(1000, 1000 * u128::from(full));
        self.total().saturating_mul(8) / u64::try_from(milliseconds).unwrap_or(1000)
    }

    fn advance(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.start).as_secs();
        let passed = second.saturating_sub(self.second);
        for step in 1..=passed.min(u64::try_from(SECONDS).unwrap_or(1)) {
            if let Some(bucket) = self.buckets.get_mut(slot(self.second + step)) {
                *bucket = 0;
            }
        }
        self.second = self.second.max(second);
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_mean_is_of_the_last_ten_seconds() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for second in 0..20 {
            meter.add(125_000, start + Duration::from_secs(second));
        }
        let end = start + Duration::from_millis(19_999);
        assert_eq!(meter.kbps(end), 1000);
        assert_eq!(meter.kbps(end + Duration::from_secs(5)), 500);
        assert_eq!(meter.kbps(end + Duration::from_secs(50)), 0);
    }
}
