//! Ids: unique whatever the clock does, and only inside what the node has reserved.

mod registry;
mod sequence;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use common::clock::{Clock, ManualClock, SystemClock};
use common::failure::{Failure, Kind};
use common::id::{EPOCH_MS, IdError, IdGenerator};
use proptest::prelude::*;

const START: i64 = 1_800_000_000_000;

fn clock_at(ms: i64) -> Arc<ManualClock> {
    ManualClock::new(DateTime::<Utc>::from_timestamp_millis(ms).unwrap())
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn millisecond(id: u64) -> i64 {
    i64::try_from(id >> 22).unwrap() + EPOCH_MS
}

#[test]
fn the_layout_is_time_node_sequence() {
    let ids = IdGenerator::new(677, clock_at(START)).unwrap();
    ids.allow(START, START + 5_000, in_a_minute());
    let (first, second) = (ids.next().unwrap(), ids.next().unwrap());
    assert_eq!(millisecond(first), START);
    assert_eq!((first >> 12) & 1023, 677);
    assert_eq!((first & 4095, second & 4095), (0, 1));
    assert_eq!(first >> 63, 0);
}

#[test]
fn a_node_id_above_ten_bits_is_refused() {
    assert!(IdGenerator::new(1023, Arc::new(SystemClock)).is_ok());
    assert_eq!(IdGenerator::new(1024, Arc::new(SystemClock)).err(), Some(IdError::NodeId(1024)));
}

#[test]
fn nothing_is_issued_without_a_registration_or_past_its_lease() {
    let ids = IdGenerator::new(1, clock_at(START)).unwrap();
    assert_eq!(ids.next(), Err(IdError::NoLease));
    ids.allow(START, START + 5_000, Instant::now());
    assert_eq!(ids.next(), Err(IdError::NoLease));
    assert_eq!(IdError::NoLease.kind(), Kind::Unavailable);
    ids.allow(START, START + 5_000, in_a_minute());
    ids.next().unwrap();
}

#[test]
fn four_threads_get_distinct_ids() {
    let ids = Arc::new(IdGenerator::new(3, Arc::new(SystemClock)).unwrap());
    let now = SystemClock.now_ms();
    ids.allow(now, now + 60_000, in_a_minute());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let ids = Arc::clone(&ids);
            std::thread::spawn(move || (0..100_000).map(|_| ids.next().unwrap()).collect::<Vec<_>>())
        })
        .collect();
    let mut seen = HashSet::new();
    for thread in threads {
        let issued = thread.join().unwrap();
        assert!(issued.is_sorted(), "each thread sees its ids ascend");
        seen.extend(issued);
    }
    assert_eq!(seen.len(), 400_000);
}

#[test]
fn a_full_millisecond_runs_on_up_to_the_reserved_mark_and_no_further() {
    let ids = IdGenerator::new(1, clock_at(START)).unwrap();
    ids.allow(START, START + 2, in_a_minute());
    let issued: Vec<u64> = (0..3 * 4096).map(|_| ids.next().unwrap()).collect();
    assert!(issued.is_sorted_by(|a, b| a < b));
    assert_eq!(millisecond(*issued.last().unwrap()), START + 2);
    assert_eq!(ids.next(), Err(IdError::UsedUp));
    assert_eq!(IdError::UsedUp.kind(), Kind::Unavailable);
    ids.allow(START, START + 3, in_a_minute());
    assert_eq!(millisecond(ids.next().unwrap()), START + 3);
}

#[test]
fn a_clock_that_steps_back_repeats_nothing() {
    let clock = clock_at(START);
    let ids = IdGenerator::new(1, clock.clone()).unwrap();
    ids.allow(START, START + 5_000, in_a_minute());
    let before = ids.next().unwrap();
    clock.advance(TimeDelta::hours(-1));
    let after = ids.next().unwrap();
    assert!(after > before);
    assert_eq!(millisecond(after), START);
}

#[test]
fn a_clock_far_ahead_of_the_reserved_range_is_not_followed() {
    let ids = IdGenerator::new(1, clock_at(START + 86_400_000)).unwrap();
    ids.allow(START, START + 5_000, in_a_minute());
    assert_eq!(millisecond(ids.next().unwrap()), START);
    ids.allow(START + 1_000, START + 6_000, in_a_minute());
    assert_eq!(millisecond(ids.next().unwrap()), START + 1_000);
}

#[test]
fn a_restart_continues_above_the_mark_though_the_clock_is_behind_it() {
    let first = IdGenerator::new(1, clock_at(START)).unwrap();
    first.allow(START, START + 5_000, in_a_minute());
    let last = (0..10_000).map(|_| first.next().unwrap()).last().unwrap();
    let second = IdGenerator::new(1, clock_at(START - 60_000)).unwrap();
    second.allow(START + 5_001, START + 6_001, in_a_minute());
    assert!(second.next().unwrap() > last);
}

#[test]
fn after_stop_no_id_is_above_the_told_millisecond() {
    let ids = Arc::new(IdGenerator::new(1, Arc::new(SystemClock)).unwrap());
    let now = SystemClock.now_ms();
    ids.allow(now, now + 60_000, in_a_minute());
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let ids = Arc::clone(&ids);
            std::thread::spawn(move || std::iter::from_fn(|| ids.next().ok()).last().unwrap_or(0))
        })
        .collect();
    while ids.last_ms() < now + 20 {
        std::hint::spin_loop();
    }
    let last = ids.stop();
    for thread in threads {
        assert!(millisecond(thread.join().unwrap()) <= last);
    }
    assert_eq!(ids.next(), Err(IdError::NoLease));
}

#[derive(Clone, Debug)]
enum Step {
    Clock(i64),
    Issue(usize),
    /// Renews from this long before to this long after the last issued millisecond.
    Renew(i64, i64),
    /// Another process with its own clock error takes over the node id above the mark.
    Restart(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (-5_000..5_000_i64).prop_map(Step::Clock),
        (1..6_000_usize).prop_map(Step::Issue),
        (0..50_i64, 0..50_i64).prop_map(|(before, after)| Step::Renew(before, after)),
        (-5_000..5_000_i64).prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ids_ascend_and_stay_below_the_mark(steps in prop::collection::vec(step(), 1..30)) {
        let clock = clock_at(START);
        let mut ids = IdGenerator::new(9, clock.clone()).unwrap();
        let mut mark = START + 20;
        ids.allow(START, mark, in_a_minute());
        let mut last = 0;
        for step in steps {
            match step {
                Step::Clock(ms) => clock.advance(TimeDelta::milliseconds(ms)),
                Step::Issue(count) => {
                    for id in std::iter::from_fn(|| ids.next().ok()).take(count) {
                        prop_assert!(id > last);
                        prop_assert!(millisecond(id) <= mark);
                        last = id;
                    }
                }
                Step::Renew(before, after) => {
                    mark = mark.max(ids.last_ms() + after);
                    ids.allow(mark - before, mark, in_a_minute());
                }
                Step::Restart(error) => {
                    clock.advance(TimeDelta::milliseconds(error));
                    ids = IdGenerator::new(9, clock.clone()).unwrap();
                    ids.allow(mark + 1, mark + 21, in_a_minute());
                    mark += 21;
                }
            }
        }
    }
}
