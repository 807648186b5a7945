//! When the payment service is asked again.

use std::time::Duration;

use config::GiftConfig;

/// The longest pause before the payment service is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// When the payment service is asked again about a gift.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause; each further one is twice as long, up to five minutes.
    pub every: Duration,
    /// How long one caller alone may ask: no answer comes later than the service's time-out.
    pub lease: Duration,
    /// After how long nobody asks any more.
    pub give_up: Duration,
}

impl Pace {
    /// As `config` has it.
    #[must_use]
    pub fn of(config: &GiftConfig) -> Self {
        Self {
            every: Duration::from_secs(config.settle_every_s),
            lease: Duration::from_secs(config.timeout_s.saturating_add(config.settle_every_s)),
            give_up: Duration::from_secs(config.give_up_s),
        }
    }

    /// The pause after so many asks about a gift of that age, ±20 %; None when it is given up. The last
    /// ask is made when the time is over.
    #[must_use]
    pub fn pause(&self, asks: i32, age: Duration) -> Option<Duration> {
        let left = self.give_up.checked_sub(age).filter(|left| !left.is_zero())?;
        let doublings = u32::try_from(asks.saturating_sub(1)).unwrap_or_default();
        let factor = 2_u32.saturating_pow(doublings.min(16));
        let pause = self.every.saturating_mul(factor).min(LONGEST_PAUSE);
        Some(pause.mul_f64(rand::random_range(0.8..1.2)).min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        every: Duration::from_secs(5),
        lease: Duration::from_secs(10),
        give_up: Duration::from_secs(3600),
    };

    fn pause(asks: i32, age_s: u64) -> Option<u64> {
        PACE.pause(asks, Duration::from_secs(age_s)).map(|pause| pause.as_secs())
    }

    #[test]
    fn pauses_grow_to_five_minutes() {
        for (asks, around) in [(1, 5), (2, 10), (3, 20), (6, 160), (7, 300), (40, 300), (i32::MAX, 300)] {
            let pause = pause(asks, 60).unwrap_or_default();
            assert!((around * 4 / 5 - 1..=around * 6 / 5).contains(&pause), "{asks}: {pause}");
        }
    }

    #[test]
    fn the_last_ask_is_made_when_the_time_is_over() {
        assert!(pause(20, 3590).is_some_and(|pause| pause <= 10));
        assert_eq!(pause(20, 3600), None);
        assert_eq!(pause(1, 7200), None);
    }
}
