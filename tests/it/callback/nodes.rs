//! Several nodes share the work, and one that dies leaves it to the others.

use std::collections::BTreeSet;
use std::time::Duration;

use liveloom::event::CALLBACKS;
use liveloom::event::lanes::Lanes;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use store::registry::note_callbacks;

use super::bed::{Bed, SOON};
use crate::support::callback_receiver::Mood;
use crate::support::wait::wait_until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_the_rooms_and_tell_each_event_once() {
    let bed = Bed::new(false).await;
    bed.receiver.set_mood(Mood::Slow(Duration::from_millis(5)));
    let rooms: Vec<String> = (1..=200).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let nodes = [bed.node().await, bed.node().await];
    let shares =
        || nodes.each_ref().map(|node| node.metric("liveloom_callback_attempts_total{result=\"ok\"}"));
    // Either may be the quicker one for a while.
    let mut rounds = 0;
    while rounds < 3 || shares().contains(&0.0) {
        rounds += 1;
        assert!(rounds <= 30, "one node does all the work: {:?}", shares());
        bed.append_to(&rooms, 1).await;
        for room in &rooms {
            bed.wait_taken(room, rounds).await;
        }
    }
    let ids: BTreeSet<_> = bed.receiver.calls().into_iter().map(|call| call.webhook_id).collect();
    assert_eq!((bed.receiver.count(), ids.len()), (200 * rounds, 200 * rounds));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lanes_of_a_dead_node_pass_on_after_its_lease() {
    let bed = Bed::new(false).await;
    bed.append_to(&["100", "200"], 2).await;
    let dead = Lanes::new(bed.db.clone(), CALLBACKS, 9, Duration::from_secs(3));
    assert_eq!(dead.claim(10).await.unwrap().len(), 2);
    let _node = bed.node().await;
    bed.append_to(&["300"], 1).await;
    bed.wait_taken("300", 1).await;
    assert!(bed.receiver.taken("100").is_empty(), "the lease is respected");
    bed.wait_taken("100", 2).await;
    bed.wait_taken("200", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_another_node_are_found_soon() {
    let bed = Bed::new(false).await;
    let elsewhere = bed.another_db().await;
    let _node = bed.node().await;
    bed.append_to(&["100"], 1).await;
    bed.wait_taken("100", 1).await;
    bed.append_over(&elsewhere, "100").await;
    let seen = async || bed.receiver.taken("100").len() == 2;
    wait_until("it is told by this node", SOON, seen).await;
}

/// Registers node `node_id` as of so many hours ago, with an address for callbacks or without.
async fn register(bed: &Bed, node_id: u16, has_callbacks: bool, hours_ago: i64) {
    let sql = format!(
        "REPLACE INTO node_registry (node_id, updated_ms) VALUES ({node_id}, {} - {})",
        bed.db.dialect().now_ms_sql(),
        hours_ago * 3_600_000
    );
    bed.db.writer().execute_unprepared(&sql).await.unwrap();
    note_callbacks(&bed.db, node_id, has_callbacks).await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_an_address_leaves_callbacks_to_the_others(#[values(false, true)] is_embedded: bool) {
    let mut bed = Bed::new(is_embedded).await;
    let addr = std::mem::take(&mut bed.config.addr);
    register(&bed, 1, true, 0).await;
    register(&bed, 1, false, 0).await;
    register(&bed, 2, true, 71).await;
    bed.append_to(&["100"], 2).await;
    // It looks at what is due once at least before it ends.
    bed.node().await.stop().await;
    assert_eq!(bed.lane("100").await.callback_done, Some(0), "the other one may come back");
    bed.config.addr = addr;
    let _node = bed.node().await;
    bed.wait_taken("100", 2).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_address_nothing_is_kept(#[values(false, true)] is_embedded: bool) {
    let mut bed = Bed::new(is_embedded).await;
    bed.config.addr.clear();
    register(&bed, 1, true, 0).await;
    register(&bed, 2, false, 0).await;
    register(&bed, 3, true, 73).await;
    bed.append_to(&["100"], 2).await;
    bed.node().await.stop().await;
    assert_eq!(bed.lane("100").await.callback_done, Some(2));
}
