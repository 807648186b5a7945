//! The circuit breaker: while the receiver is down it is probed, not hammered.
//!
//! It opens when [`THRESHOLD`] attempts in a row found the receiver down (no connection, no answer in
//! time, 5xx), of at least [`ROOMS`] rooms: a receiver that fails for one room only is not down.
//! While it is open, one attempt at a time goes out as a probe, after growing pauses. Attempts that
//! fail while it is open do not count as their events' failures.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Attempts in a row that found the receiver down.
const THRESHOLD: u32 = 8;
/// Rooms that those attempts were for, at least.
const ROOMS: usize = 3;
/// The pause before the first probe; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause before a probe.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The longest pause that a receiver can ask for.
const LONGEST_WISH: Duration = Duration::from_secs(12 * 3600);

/// How an attempt found the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It answered, whatever it said.
    Up,
    /// It did not answer, or only that it cannot.
    Down,
}

#[derive(Debug)]
enum State {
    Closed {
        /// Failures since the last success.
        failures: u32,
        /// Some of the rooms that they were for.
        rooms: HashSet<String>,
    },
    Open {
        probe_at: Instant,
        pause: Duration,
    },
    /// A probe is out, and given up as lost at `until`.
    Probing {
        until: Instant,
        pause: Duration,
    },
}

/// The breaker of one receiver.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
    /// How long a probe takes at most.
    probe_limit: Duration,
}

impl Breaker {
    /// A closed one; an attempt takes at most `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        Self { state: Mutex::new(closed()), probe_limit: limit + FIRST_PAUSE }
    }

    /// None while all attempts may go out; else how long none may. Zero: a probe may.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let (State::Open { probe_at: at, .. } | State::Probing { until: at, .. }) = &*self.state() else {
            return None;
        };
        Some(at.saturating_duration_since(now))
    }

    /// Whether an attempt may go out now. One that may must be followed by [`Breaker::saw`].
    pub(super) fn enter(&self, now: Instant) -> bool {
        let mut state = self.state();
        let (at, pause) = match &*state {
            State::Closed { .. } => return true,
            State::Open { probe_at, pause } => (*probe_at, *pause),
            State::Probing { until, pause } => (*until, *pause),
        };
        if now < at {
            return false;
        }
        *state = State::Probing { until: now + self.probe_limit, pause };
        true
    }

    /// Takes note of how an attempt for the room `live_id` found the receiver. Answers whether the
    /// attempt counts, should it have failed.
    /// One that asks to be left alone for a while (`Retry-After`) is not probed earlier.
    pub(super) fn saw(
        &self,
        live_id: &str,
        health: Health,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> bool {
        let wish = retry_after.unwrap_or_default().min(LONGEST_WISH);
        let mut state = self.state();
        match (&mut *state, health) {
            (State::Closed { failures, .. }, Health::Up) => {
                if *failures > 0 {
                    *state = closed();
                }
                true
            }
            (_, Health::Up) => {
                tracing::info!("the receiver of callbacks is back");
                *state = closed();
                true
            }
            (State::Closed { failures, rooms }, Health::Down) => {
                *failures = failures.saturating_add(1);
                if rooms.len() < ROOMS {
                    rooms.insert(live_id.to_owned());
                }
                if *failures >= THRESHOLD && rooms.len() >= ROOMS {
                    tracing::warn!("the receiver of callbacks is down; it is probed until it is back");
                    *state = open(now, FIRST_PAUSE, wish);
                }
                true
            }
            // An attempt that began before the breaker opened.
            (State::Open { .. }, Health::Down) => false,
            (State::Probing { pause, .. }, Health::Down) => {
                *state = open(now, (*pause * 2).min(LONGEST_PAUSE), wish);
                false
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> State {
    State::Closed { failures: 0, rooms: HashSet::new() }
}

/// Open for about `pause`, or for `wish` where that is longer.
fn open(now: Instant, pause: Duration, wish: Duration) -> State {
    let rest = pause.mul_f64(rand::random_range(0.8..=1.2)).max(wish);
    State::Open { probe_at: now + rest, pause }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn down(breaker: &Breaker, rooms: &[&str], times: usize, now: Instant) {
        for live_id in rooms.iter().cycle().take(times) {
            assert!(breaker.enter(now));
            assert!(breaker.saw(live_id, Health::Down, None, now), "it counts");
        }
    }

    #[test]
    fn one_probe_at_a_time_goes_out_until_the_receiver_is_back() {
        let (breaker, mut now) = (Breaker::new(LIMIT), Instant::now());
        down(&breaker, &["1", "2", "3"], 8, now);
        assert!(!breaker.enter(now));
        assert!(!breaker.saw("4", Health::Down, None, now), "of those that were out it does not count");
        let mut last = Duration::ZERO;
        for _ in 0..8 {
            let pause = breaker.pause(now).unwrap();
            assert!(pause <= LONGEST_PAUSE.mul_f64(1.2) && pause >= last.mul_f64(0.6), "{pause:?}");
            last = pause;
            now += pause;
            assert_eq!(breaker.pause(now), Some(Duration::ZERO));
            assert!(breaker.enter(now) && !breaker.enter(now), "one probe");
            assert!(!breaker.saw("1", Health::Down, None, now));
        }
        assert!(last > Duration::from_secs(10), "{last:?}");
        now += last * 2;
        assert!(breaker.enter(now) && breaker.saw("1", Health::Up, None, now));
        assert!(breaker.pause(now).is_none() && breaker.enter(now) && breaker.enter(now));
    }

    #[test]
    fn a_probe_that_was_lost_is_followed_by_another() {
        let (breaker, mut now) = (Breaker::new(LIMIT), Instant::now());
        down(&breaker, &["1", "2", "3"], 8, now);
        now += Duration::from_secs(2);
        assert!(breaker.enter(now) && !breaker.enter(now));
        now += LIMIT + Duration::from_secs(2);
        assert!(breaker.enter(now) && !breaker.enter(now));
    }

    #[test]
    fn a_receiver_that_fails_for_few_rooms_or_now_and_then_is_not_down() {
        let (breaker, now) = (Breaker::new(LIMIT), Instant::now());
        down(&breaker, &["1", "2"], 100, now);
        assert!(breaker.pause(now).is_none());
        for _ in 0..20 {
            breaker.saw("9", Health::Up, None, now);
            down(&breaker, &["1", "2", "3"], 7, now);
        }
        assert!(breaker.pause(now).is_none());
    }

    #[test]
    fn a_receiver_that_asks_to_be_left_alone_is() {
        let (breaker, now) = (Breaker::new(LIMIT), Instant::now());
        let wish = Some(Duration::from_secs(600));
        for live_id in ["1", "2", "3"].iter().cycle().take(8) {
            breaker.saw(live_id, Health::Down, wish, now);
        }
        assert!(breaker.pause(now).unwrap() >= Duration::from_secs(600));
    }
}
