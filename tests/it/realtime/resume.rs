//! Whoever loses the connection comes back to what they missed, or learns that they missed something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rstest::rstest;
use serde_json::json;
use tokio::sync::watch;

use super::bed::{Bed, join};
use crate::support::follower::{Follower, Incoming, assert_one_order};
use crate::support::realtime::Socket;
use crate::support::server::Backend;

/// Disconnects and resumes when nothing else is said; `make test-long` sets `LIVELOOM_RESUMES`.
const RESUMES: usize = 600;
const FOLLOWERS: usize = 30;
const PUBLISHERS: usize = 16;
/// Messages that a room keeps here: few, so that some come back too late.
const KEPT: u64 = 60;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_hear_one_order_whenever_they_come_back(
    #[values(Backend::Redis, Backend::RedisCluster)] backend: Backend,
) {
    let resumes = std::env::var("LIVELOOM_RESUMES").map_or(RESUMES, |text| text.parse().unwrap());
    let settings = format!(
        "realtime: {{history_messages: {KEPT}, publish_per_user_s: 0, publish_per_room_s: 0, \
         connections_per_user: 0, handshakes_per_address_s: 0}}"
    );
    let nodes = Bed::start(backend, &settings).await;
    let nodes = [nodes.beside(2).await, nodes];
    let (anchor, _) = nodes[0].user("anchor").await;
    let (live_id, room) = nodes[0].room(&anchor).await;
    let urls = nodes.each_ref().map(Bed::url);

    let (newest, published) = watch::channel(0);
    let is_over = Arc::new(AtomicBool::new(false));
    let newest = Arc::new(newest);
    let sockets = join_all((0..PUBLISHERS).map(async |number| {
        let user = nodes[0].client.log_in(&format!("publisher-{number}")).await;
        join(&user, &live_id).await;
        Socket::log_in(&urls[number % 2], user.token()).await
    }));
    let publishers = sockets.await.into_iter().enumerate().map(|(number, socket)| {
        tokio::spawn(publish(socket, number, room.clone(), Arc::clone(&newest), Arc::clone(&is_over)))
    });
    let publishers: Vec<_> = publishers.collect();
    let left = Arc::new(AtomicU64::new(u64::try_from(resumes).unwrap()));
    let followers = join_all((0..FOLLOWERS).map(async |number| {
        let user = nodes[0].client.log_in(&format!("follower-{number}")).await;
        join(&user, &live_id).await;
        Follower::new(&urls, user.token(), &room)
    }));
    let followers = followers.await.into_iter().enumerate().map(|(number, follower)| {
        tokio::spawn(wander(follower, number, published.clone(), Arc::clone(&left)))
    });
    let followers: Vec<_> = followers.collect();
    let followers: Vec<Follower> = join_all(followers).await.into_iter().map(Result::unwrap).collect();
    is_over.store(true, Ordering::Relaxed);
    let told: Vec<Incoming> = join_all(publishers).await.into_iter().map(Result::unwrap).collect();

    // Each of them hears the very last message.
    let last = *published.borrow();
    let followers = join_all(followers.into_iter().map(async |mut follower| {
        follower.reach(last).await;
        follower
    }))
    .await;
    let count = |of: fn(&Follower) -> usize| followers.iter().map(of).sum::<usize>();
    let (recovered, unrecovered) = (count(|f| f.recovered), count(|f| f.unrecovered));
    eprintln!("{recovered} resumes recovered everything, {unrecovered} said that they had not");
    assert!(recovered + unrecovered >= resumes);
    assert!(recovered > resumes / 2 && unrecovered > 0, "{recovered} and {unrecovered}");
    assert_eq!(count(|f| f.lost), 0, "nothing was lost while one was connected");
    let mut heard: Vec<Incoming> = followers.into_iter().map(|follower| follower.heard).collect();
    heard.extend(told);
    assert_one_order(&heard);
}

/// Says numbered texts until it is over; what was said where.
async fn publish(
    mut socket: Socket,
    number: usize,
    room: String,
    newest: Arc<watch::Sender<u64>>,
    is_over: Arc<AtomicBool>,
) -> Incoming {
    let epoch = socket.follow(&room).await["epoch"].as_str().unwrap().to_owned();
    let mut told = Incoming::new();
    for count in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let text = format!("{number}-{count}");
        let params = json!({"channel": room, "action": "liveroom-pubchat", "data": text});
        let answer = socket.ask("publish", params).await;
        let Some(offset) = answer["result"]["offset"].as_u64() else {
            let wait = answer["error"]["retry_after_ms"].as_u64().unwrap_or_else(|| panic!("{answer}"));
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
            continue;
        };
        told.insert((epoch.clone(), offset), text);
        newest.send_if_modified(|newest| {
            let is_newer = offset > *newest;
            *newest = offset.max(*newest);
            is_newer
        });
        socket.forget_pushes();
    }
    told
}

/// Comes, listens for a while, goes for a while, and comes back, at either node.
async fn wander(
    mut follower: Follower,
    number: usize,
    mut published: watch::Receiver<u64>,
    left: Arc<AtomicU64>,
) -> Follower {
    let mut random = StdRng::seed_from_u64(u64::try_from(number).unwrap());
    follower.come(number % 2).await;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let listens = random.random_range(0..20);
        follower.reach(follower.offset() + listens).await;
        follower.cut();
        // Now and then for longer than messages are kept.
        let long = if random.random_ratio(1, 8) { 2 * KEPT } else { KEPT / 3 };
        let until = follower.offset() + random.random_range(0..long);
        published.wait_for(|newest| *newest >= until).await.unwrap();
        follower.come(random.random_range(0..2)).await;
    }
    follower
}
