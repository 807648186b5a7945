//! Many events at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::bed::Bed;
use crate::support::callback_receiver::Mood;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_lane_does_not_starve_the_others() {
    let bed = Bed::new(false).await;
    bed.receiver.set_mood_for("1", Mood::Slow(Duration::from_millis(3)));
    bed.append_to(&["1"], 2000).await;
    let _node = bed.node().await;
    bed.wait_calls("1", 20).await;
    let rooms: Vec<String> = (2..=100).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let before = bed.receiver.calls_of("1").len();
    bed.append_to(&rooms, 2).await;
    for room in rooms {
        bed.wait_taken(room, 2).await;
    }
    let during = bed.receiver.calls_of("1").len() - before;
    assert!(during < 1900, "{during} of the long lane came first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_200_a_second_callbacks_arrive_within_a_second() {
    const RATE: u64 = 200;
    const SECONDS: u64 = 3;
    let bed = Bed::new(false).await;
    let _node = bed.node().await;
    let rooms: Vec<String> = (1..=50).map(|room| room.to_string()).collect();
    let mut committed: HashMap<(String, i64), Instant> = HashMap::new();
    let mut next: HashMap<&str, i64> = HashMap::new();
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
    for room in rooms.iter().cycle().take(usize::try_from(RATE * SECONDS).unwrap()) {
        ticks.tick().await;
        bed.append_to(&[room], 1).await;
        let seq = next.entry(room).or_default();
        *seq += 1;
        committed.insert((room.clone(), *seq), Instant::now());
    }
    for room in &rooms {
        bed.wait_taken(room, usize::try_from(next[room.as_str()]).unwrap()).await;
    }
    let calls = bed.receiver.calls();
    assert_eq!(calls.len(), committed.len());
    let mut took: Vec<Duration> = calls
        .into_iter()
        .map(|call| call.at.saturating_duration_since(committed[&(call.live_id, call.seq)]))
        .collect();
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    assert!(p99 < Duration::from_secs(1), "p99 {p99:?}");
}
