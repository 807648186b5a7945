//! Whether peers are still there: each is asked every so often, and must be heard in between.

use std::time::Duration;

use super::connection::{Closing, Connection};

/// From one question whether a peer is there to the next.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// The heartbeat time-out of a connection: how long nothing may be received from a peer.
const SILENCE: Duration = Duration::from_secs(35);
/// A tick that comes so late says that the machine was busy, and nothing about peers.
const STANDSTILL: Duration = Duration::from_secs(5);

/// What is due for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// The question whether the peer is there.
    Ping,
    /// The end.
    Close(Closing),
}

/// What is due on the ticks of a worker thread.
pub(super) struct KeepAlive {
    before: Duration,
    now: Duration,
    patient_until: Duration,
}

impl KeepAlive {
    pub(super) fn new(now: Duration) -> Self {
        Self { before: now, now, patient_until: Duration::ZERO }
    }

    /// A tick has come, by the worker's clock.
    pub(super) fn tick(&mut self, now: Duration) {
        // What peers sent while the thread stood still is not read yet.
        if now.saturating_sub(self.now) > STANDSTILL {
            self.patient_until = now + (SILENCE - PING_EVERY);
        }
        (self.before, self.now) = (self.now, now);
    }

    /// What is due for a connection at this tick; `wall` is the time in Unix seconds.
    pub(super) fn due(&self, connection: &Connection, wall: i64) -> Due {
        let silence = self.now.saturating_sub(connection.heard());
        if silence >= SILENCE && self.now >= self.patient_until {
            Due::Close(Closing::SILENT)
        } else if connection.expires_at().is_some_and(|end| wall > end) {
            Due::Close(Closing::EXPIRED)
        } else if is_turn(connection.opened(), self.before, self.now, PING_EVERY) {
            Due::Ping
        } else {
            Due::Nothing
        }
    }
}

/// Whether something that is due every so often since `opened` became due after `before` and until
/// `now`, however late that is looked at.
#[must_use]
pub fn is_turn(opened: Duration, before: Duration, now: Duration, every: Duration) -> bool {
    let turns = |at: Duration| at.saturating_sub(opened).as_millis() / every.as_millis().max(1);
    turns(now) > turns(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Login;

    const SECOND: Duration = Duration::from_secs(1);

    /// What happens to a connection at the ticks of these seconds; it answers pings if `answers`.
    fn life(ticks: impl IntoIterator<Item = u64>, answers: bool) -> Vec<(u64, Due)> {
        let connection = Connection::new(1, Duration::ZERO);
        let mut keep_alive = KeepAlive::new(Duration::ZERO);
        let mut happened = Vec::new();
        for second in ticks {
            let now = SECOND * u32::try_from(second).unwrap_or(u32::MAX);
            keep_alive.tick(now);
            let due = keep_alive.due(&connection, 0);
            if due == Due::Ping && answers {
                connection.note_heard(now);
            }
            if due != Due::Nothing {
                happened.push((second, due));
            }
        }
        happened
    }

    #[test]
    fn who_answers_stays() {
        assert_eq!(life(1..=80, true), [(25, Due::Ping), (50, Due::Ping), (75, Due::Ping)]);
    }

    #[test]
    fn who_is_silent_is_closed() {
        assert_eq!(life(1..=35, false), [(25, Due::Ping), (35, Due::Close(Closing::SILENT))]);
    }

    #[test]
    fn a_thread_that_stood_still_closes_nobody_for_it() {
        let late = (1..20).chain(45..=70);
        assert_eq!(life(late, true), [(45, Due::Ping), (50, Due::Ping)]);
        let silent = (1..20).chain(45..=55);
        assert_eq!(
            life(silent, false),
            [(45, Due::Ping), (50, Due::Ping), (55, Due::Close(Closing::SILENT))]
        );
    }

    #[test]
    fn the_end_of_a_token_ends_its_connection() {
        let connection = Connection::new(1, Duration::ZERO);
        connection.authenticate(Login { user_id: "u".into(), issued_at: None, expires_at: 1000 });
        let keep_alive = KeepAlive::new(SECOND);
        assert_eq!(keep_alive.due(&connection, 1000), Due::Nothing);
        assert_eq!(keep_alive.due(&connection, 1001), Due::Close(Closing::EXPIRED));
    }

    #[test]
    fn a_turn_comes_once_however_often_it_is_looked_for() {
        let (opened, every) = (Duration::from_millis(1700), Duration::from_secs(25));
        for looks in [&[1000, 1000, 1000][..], &[1400, 999, 1001, 2600], &[7000, 300]] {
            let (mut before, mut turns, mut looks) = (opened, 0, looks.iter().cycle());
            while before < opened + every * 40 {
                let now = before + Duration::from_millis(*looks.next().unwrap_or(&1000));
                turns += u128::from(is_turn(opened, before, now, every));
                before = now;
            }
            assert_eq!(turns, (before - opened).as_millis() / every.as_millis());
        }
    }
}
