//! How the payment service and the receiver of callbacks behave, drawn from a seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{callback_receiver, fake_payment};

/// A good fifth of the calls leaves the caller without an outcome, half of these after the charge.
pub fn of_payer(seed: u64) -> impl FnMut() -> fake_payment::Mood + Send + 'static {
    use fake_payment::Mood;
    let mut draws = StdRng::seed_from_u64(seed ^ 1);
    move || {
        let charges = draws.random();
        match draws.random_range(0..100) {
            0..8 => Mood::Refuse { code: 11, message: "no money".to_owned() },
            8..15 => Mood::Reset { charges },
            15..22 => Mood::Status { status: 500, charges },
            22..28 => Mood::text("paid", charges),
            28..30 => Mood::Hang { charges },
            30..45 => Mood::Slow(Duration::from_millis(draws.random_range(1..100))),
            _ => Mood::Well,
        }
    }
}

/// One event in so many is refused whenever it is told, so that it has to step out of its lane.
const REFUSED: i64 = 40;

/// A tenth of the calls fails, and all those about some events.
pub fn of_receiver(
    seed: u64,
) -> impl FnMut(&callback_receiver::Call) -> callback_receiver::Mood + Send + 'static {
    use callback_receiver::Mood;
    let mut draws = StdRng::seed_from_u64(seed ^ 2);
    move |call| match draws.random_range(0..100) {
        _ if call.seq % REFUSED == 5 => Mood::Code(6),
        0..4 => Mood::Code(5),
        4..7 => Mood::Status(503),
        7..10 => Mood::Bytes(b"thanks".to_vec()),
        10..25 => Mood::Slow(Duration::from_millis(draws.random_range(1..50))),
        _ => Mood::Well,
    }
}
