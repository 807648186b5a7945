//! Since when something has been going wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A trouble that comes and goes; looking at it takes no lock.
#[derive(Debug)]
pub(crate) struct Trouble {
    born: Instant,
    /// Milliseconds after `born`; zero: there is none.
    since_ms: AtomicU64,
}

impl Trouble {
    /// There is none yet.
    pub(crate) fn none() -> Self {
        Self { born: Instant::now(), since_ms: AtomicU64::new(0) }
    }

    /// All is well, or not.
    pub(crate) fn note(&self, is_well: bool) {
        match (is_well, self.since_ms.load(Ordering::Relaxed)) {
            (true, 0) | (false, 1..) => {}
            (true, _) => self.since_ms.store(0, Ordering::Relaxed),
            (false, 0) => self.since_ms.store(self.now_ms(), Ordering::Relaxed),
        }
    }

    /// For how long it has been going on; none while there is none.
    pub(crate) fn lasting(&self) -> Option<Duration> {
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        (since_ms > 0).then(|| Duration::from_millis(self.now_ms().saturating_sub(since_ms)))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_lasts_from_its_first_sign_until_all_is_well() {
        let trouble = Trouble { born: Instant::now() - Duration::from_secs(60), since_ms: AtomicU64::new(0) };
        assert_eq!(trouble.lasting(), None);
        trouble.since_ms.store(20_000, Ordering::Relaxed);
        trouble.note(false);
        assert!(trouble.lasting() >= Some(Duration::from_secs(40)), "{:?}", trouble.lasting());
        trouble.note(true);
        assert_eq!(trouble.lasting(), None);
        trouble.note(false);
        assert!(trouble.lasting() < Some(Duration::from_secs(40)), "{:?}", trouble.lasting());
    }
}
