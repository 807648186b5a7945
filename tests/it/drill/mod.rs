//! The drill: two nodes under load are killed at random moments, and whatever was in the middle, in the
//! end all ledgers agree.
//!
//! `LIVELOOM_DRILL_KILLS` says how often (`make test-long` sets it), `LIVELOOM_DRILL_SEED` repeats the
//! draws of a former run; the moments of the kills depend on how quickly the machine works as well.

mod bed;
mod killer;
mod points;

use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;

use self::bed::Bed;
use self::killer::Killer;
use crate::support::load::{Load, moods, verdict};

/// Kills when nothing else is said: so many fit into a minute.
const KILLS: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledgers_agree_after_kills_at_random_moments() {
    let kills = number("LIVELOOM_DRILL_KILLS").unwrap_or(KILLS);
    let seed = number("LIVELOOM_DRILL_SEED").unwrap_or_else(rand::random);
    eprintln!("drill: {kills} kills, LIVELOOM_DRILL_SEED={seed}");
    let begun = Instant::now();
    let mut bed = Bed::new().await;
    let load = Load::start(&bed.world).await;
    bed.world.payer.draw(moods::of_payer(seed));
    bed.world.receiver.draw(moods::of_receiver(seed));
    let mut killer = Killer::new(StdRng::seed_from_u64(seed), load.gifts_heard_of());
    for kill in 1..=kills {
        killer.strike(&mut bed).await;
        bed.world.let_callbacks_rest_no_longer().await;
        if kill % 10 == 0 || kill == kills {
            eprintln!("drill: {kill} kills, {:?}: {}", begun.elapsed(), bed.world.progress(&load).await);
        }
    }
    let done = load.stop().await;
    eprintln!("drill: the load has ended, {:?}: {done}", begun.elapsed());
    bed.world.calm();
    verdict::agree(&bed.world, &done).await;
    eprintln!("drill: all ledgers agree, {:?}", begun.elapsed());
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}: {text} is not a number")))
}
