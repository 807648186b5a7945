//! Telling a room of its likes.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::bed::{Node, redis};
use crate::support::database::TestDatabase;
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);

fn contents(node: &Node) -> Vec<Value> {
    let messages = node.sent.messages.lock().unwrap();
    messages.iter().map(|(_, message)| serde_json::from_str(&message.command()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_like_is_told_to_the_room_in_the_users_name() {
    let database = TestDatabase::create().await;
    let node = Node::start(&database, &redis(), 1).await;
    let live_id = node.room(&["ann"]).await;
    node.give(&live_id, "ann", 3).await;
    wait_until("the room is told", SOON, async || !contents(&node).is_empty()).await;
    let expected =
        json!({"action": "like_notify", "data": {"live_id": live_id, "user_id": "ann", "count": 3}});
    assert_eq!(contents(&node), [expected]);
    let room = node.lives.room(&live_id).await.unwrap();
    let ann = node.users.find("ann").await.unwrap();
    let (_, message) = node.sent.messages.lock().unwrap()[0].clone();
    assert_eq!((message.from, Some(message.to)), (ann.account(), room.audience()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_are_added_up_per_user_and_told_five_times_a_second_by_all_nodes() {
    let database = TestDatabase::create().await;
    let cache = redis();
    let (one, two) = (Node::start(&database, &cache, 1).await, Node::start(&database, &cache, 2).await);
    let live_id = one.room(&["ann", "bob"]).await;
    for _ in 0..10 {
        join_all((0..10).map(|number: usize| {
            let node = [&one, &two][number % 2];
            node.give(&live_id, ["ann", "bob"][number / 5], 1)
        }))
        .await;
    }
    let told = || -> i64 {
        let all = contents(&one).into_iter().chain(contents(&two));
        all.map(|content| content["data"]["count"].as_i64().unwrap()).sum()
    };
    wait_until("most are told", SOON, async || told() >= 50).await;
    assert!(told() <= 100, "nothing is told twice");
    let mut times: Vec<_> = [&one, &two]
        .into_iter()
        .flat_map(|node| node.sent.messages.lock().unwrap().iter().map(|(at, _)| *at).collect::<Vec<_>>())
        .collect();
    times.sort();
    for six in times.windows(6) {
        assert!(six[5] - six[0] >= Duration::from_millis(900), "six within a second: {times:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_im_delays_no_like_and_is_told_less() {
    let database = TestDatabase::create().await;
    let node = Node::start(&database, &redis(), 1).await;
    let live_id = node.room(&["ann"]).await;
    node.give(&live_id, "ann", 1).await;
    *node.sent.delay.lock().unwrap() = Duration::from_secs(3600);
    let started = std::time::Instant::now();
    for _ in 0..100 {
        node.give(&live_id, "ann", 1).await;
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(contents(&node).len() <= 1, "the others were dropped");
    *node.sent.delay.lock().unwrap() = Duration::ZERO;
    wait_until("rooms are told again", SOON, async || {
        node.give(&live_id, "ann", 1).await;
        contents(&node).len() > 2
    })
    .await;
}
