//! When the next message is due.

use crate::realtime::wire::Pace;

/// Decides when to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publisher {
    pace: Pace,
    due: u64,
    /// By how much a message was sent later than its time, at most, ns.
    pub lag: u64,
}

impl Publisher {
    /// Begins `now`.
    pub fn new(pace: Pace, now: u64) -> Self {
        Self { pace, due: now, lag: 0 }
    }

    /// Whether to publish one message now, when so many are on their way.
    pub fn take(&mut self, now: u64, on_their_way: u64) -> bool {
        match self.pace {
            Pace::Listen => false,
            Pace::Window(window) => on_their_way < window,
            Pace::PerSecond(rate) => {
                let is_due = self.due <= now && rate > 0.0;
                if is_due {
                    self.lag = self.lag.max(now - self.due);
                    self.due += nanos_between(rate);
                }
                is_due
            }
        }
    }

    /// When it wants to be asked again at the latest.
    pub fn due(&self) -> Option<u64> {
        matches!(self.pace, Pace::PerSecond(_)).then_some(self.due)
    }
}

/// The distance of messages at so many a second; no pace of a benchmark is slower than one in a day.
fn nanos_between(rate: f64) -> u64 {
    let between = std::time::Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default();
    u64::try_from(between.as_nanos()).unwrap_or(u64::MAX).clamp(1, 86_400_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_rate_is_kept_even_when_time_was_lost() {
        let mut publisher = Publisher::new(Pace::PerSecond(4.0), 0);
        let mut published = 0;
        for now in [0, SECOND / 2, SECOND / 2, 2 * SECOND] {
            while publisher.take(now, 0) {
                published += 1;
            }
        }
        assert_eq!(published, 9);
        assert_eq!(publisher.lag, 2 * SECOND - 3 * SECOND / 4);
        assert_eq!(publisher.due(), Some(9 * SECOND / 4));
    }

    #[test]
    fn a_window_is_filled_and_kept() {
        let mut publisher = Publisher::new(Pace::Window(3), 0);
        assert!(publisher.take(0, 2));
        assert!(!publisher.take(0, 3));
    }
}
