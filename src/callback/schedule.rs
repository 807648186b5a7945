//! When a failed callback is tried again.

use std::time::Duration;

use super::webhook_client::{Failed, Reason};

/// The pause before each attempt.
const TABLE: [Duration; 8] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(12 * 3600),
];
/// Attempts while the event holds up its room.
const IN_LANE: u32 = 3;
/// Each pause is this part longer or shorter, so that what failed together does not return together.
const SPREAD: f64 = 0.2;
/// A receiver that asks for a longer pause gets one without holding up the room: the event leaves its partition
/// then, were it after its first failure, since nobody waits in order for 12 h.
const IN_LANE_PAUSE: Duration = Duration::from_secs(60);
/// No `Retry-After` postpones for longer.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// What becomes of a callback that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another attempt after this pause; the room waits.
    Again(Duration),
    /// Another attempt after this pause; the room goes on.
    Alone(Duration),
    /// No further attempt.
    Ended,
}

/// What becomes of a callback whose attempt number `attempts` failed.
pub(super) fn after(attempts: u32, max_attempts: u32, failed: &Failed) -> Next {
    if attempts >= max_attempts || failed.reason == Reason::Gone {
        return Next::Ended;
    }
    let index = usize::try_from(attempts).unwrap_or(usize::MAX).min(TABLE.len() - 1);
    let pause = TABLE.get(index).copied().unwrap_or_default();
    let pause = pause.mul_f64(rand::random_range(1.0 - SPREAD..=1.0 + SPREAD));
    let pause = pause.max(failed.retry_after.unwrap_or_default().min(LONGEST));
    if attempts >= IN_LANE || pause > IN_LANE_PAUSE { Next::Alone(pause) } else { Next::Again(pause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: Reason, retry_after_s: u64) -> Failed {
        let retry_after = (retry_after_s > 0).then(|| Duration::from_secs(retry_after_s));
        Failed { reason, retry_after }
    }

    #[test]
    fn pauses_grow_and_the_room_waits_for_the_first_three_attempts_only() {
        let expected = [5.0, 30.0, 120.0, 600.0, 3600.0, 10_800.0, 43_200.0];
        for (attempts, expected) in (1..).zip(expected) {
            for _ in 0..100 {
                let pause = match after(attempts, 8, &failed(Reason::TimedOut, 0)) {
                    Next::Again(pause) if attempts < 3 => pause,
                    Next::Alone(pause) if attempts >= 3 => pause,
                    other => panic!("{attempts}: {other:?}"),
                };
                assert!((expected * 0.8..=expected * 1.2).contains(&pause.as_secs_f64()), "{pause:?}");
            }
        }
        assert_eq!(after(8, 8, &failed(Reason::TimedOut, 0)), Next::Ended);
        assert_eq!(after(1, 1, &failed(Reason::TimedOut, 0)), Next::Ended);
        assert!(matches!(after(20, 100, &failed(Reason::TimedOut, 0)), Next::Alone(_)));
    }

    #[test]
    fn the_receiver_may_ask_for_a_longer_pause_or_for_an_end() {
        assert_eq!(after(1, 8, &failed(Reason::Status(429), 50)), Next::Again(Duration::from_secs(50)));
        assert_eq!(after(1, 8, &failed(Reason::Status(429), 90)), Next::Alone(Duration::from_secs(90)));
        assert_eq!(after(1, 8, &failed(Reason::Status(503), 10_000_000)), Next::Alone(LONGEST));
        let Next::Again(pause) = after(2, 8, &failed(Reason::Status(503), 1)) else { panic!("it waits") };
        assert!(pause >= Duration::from_secs(24), "not a shorter one: {pause:?}");
        assert_eq!(after(1, 8, &failed(Reason::Gone, 5)), Next::Ended);
    }
}
