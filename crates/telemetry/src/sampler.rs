//! Lines that an outage repeats with every request: the first ones are logged, of the rest how many there were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Lines of one place within a window.
const LINES: u64 = 5;
/// The length of a window.
const WINDOW_S: u64 = 10;

/// Counts the lines of one place of the code. Takes no lock; at the edge of a window a line too many may pass.
#[derive(Debug, Default)]
pub struct Sampler {
    window: AtomicU64,
    count: AtomicU64,
}

impl Sampler {
    /// One that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { window: AtomicU64::new(0), count: AtomicU64::new(0) }
    }

    /// Whether a line may be logged now, and with it how many were left out before.
    pub fn admit(&self) -> Option<u64> {
        self.admit_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    fn admit_at(&self, now_s: u64) -> Option<u64> {
        let window = now_s / WINDOW_S;
        if self.window.swap(window, Ordering::Relaxed) == window {
            return (self.count.fetch_add(1, Ordering::Relaxed) < LINES).then_some(0);
        }
        Some(self.count.swap(1, Ordering::Relaxed).saturating_sub(LINES))
    }
}

/// As the macro of that level of `tracing`, for lines that an outage repeats. `left_out` says how many there
/// were before that nobody was told of.
#[macro_export]
macro_rules! sampled {
    ($level:ident, $($line:tt)*) => {{
        static SAMPLER: $crate::sampler::Sampler = $crate::sampler::Sampler::new();
        if let Some(left_out) = SAMPLER.admit() {
            let left_out = (left_out > 0).then_some(left_out);
            tracing::$level!(left_out, $($line)*);
        }
    }};
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_of_each_window_pass_and_tell_of_those_before() {
        let sampler = Sampler::new();
        let lines = |now_s: u64, many: u64| -> Vec<u64> {
            (0..many).filter_map(|_| sampler.admit_at(now_s)).collect()
        };
        assert_eq!(lines(1000, 3), [0, 0, 0]);
        assert_eq!(lines(1009, 100), [0, 0]);
        assert_eq!(lines(1010, 7), [98, 0, 0, 0, 0]);
        assert_eq!(lines(1500, 1), [2]);
        assert_eq!(lines(2000, 1), [0]);
    }
}
