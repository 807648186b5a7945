//! A Redis Cluster that loses masters.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use config::CacheConfig;
use rstest::rstest;
use store::cache::{Announcement, Cache, Enter, Member, Silent};
use tokio::task::JoinSet;

use super::backend::{config, eventually, open, shard_of};
use crate::support::redis::{RedisCluster, RedisServer};

const ROOMS: u32 = 200;
const SOON: Duration = Duration::from_secs(20);
/// Every call has answered within this.
const LIMIT: Duration = Duration::from_secs(2);

fn room(number: u32) -> String {
    format!("15821982634067{number:05}")
}

/// Enters, hears and leaves in all rooms until told to stop; answers how many calls failed, and
/// the longest time that one took.
async fn traffic(cache: Cache, user: u32, stop: Arc<AtomicBool>) -> (u32, Duration) {
    let (mut failed, mut longest, mut number) = (0, Duration::ZERO, user);
    while !stop.load(Ordering::Relaxed) {
        let (live_id, user_id) = (room(number % ROOMS), format!("user {user}"));
        let enter = Enter { live_id: &live_id, user_id: &user_id, anchor_id: "x", ..Enter::default() };
        let start = Instant::now();
        let ok = match number % 3 {
            0 => cache.enter(enter).await.is_ok(),
            1 => cache.heard(&live_id, &user_id, false).await.is_ok(),
            _ => cache.leave(&live_id, &user_id).await.is_ok(),
        };
        longest = longest.max(start.elapsed());
        failed += u32::from(!ok);
        number += 7;
    }
    (failed, longest)
}

/// Heartbeats of a room on a master that is not harmed: how many, how many failed, the longest.
async fn beats(cache: Cache, live_id: String, stop: Arc<AtomicBool>) -> (u32, u32, Duration) {
    let (mut count, mut failed, mut longest) = (0, 0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        failed += u32::from(cache.heard(&live_id, "kept", false).await.ok() != Some(true));
        longest = longest.max(start.elapsed());
        count += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (count, failed, longest)
}

/// Every room's number online is that of its members, as the keys themselves say.
async fn assert_consistent(cache: &Cache) {
    let mut members = Vec::new();
    tokio::time::sleep(Duration::from_millis(5)).await;
    for shard in 0..cache.shards() {
        let heard = cache.heard_since(shard, 0, 1_000_000).await.unwrap();
        members.extend(heard.into_iter().map(|(member, _)| member));
    }
    for number in 0..ROOMS {
        let live_id = room(number);
        let in_room = members.iter().filter(|member| member.live_id == live_id).count();
        let state = cache.room_states(&[(&live_id, "x")]).await.unwrap()[0];
        assert_eq!(state.online, u64::try_from(in_room).unwrap(), "room {live_id}");
    }
}

async fn enter_all(cache: &Cache, user_id: &str) -> BTreeSet<Member> {
    let mut entered = BTreeSet::new();
    for number in 0..ROOMS {
        let live_id = room(number);
        cache.enter(Enter { live_id: &live_id, user_id, anchor_id: "x", ..Enter::default() }).await.unwrap();
        entered.insert(Member::new(live_id, user_id));
    }
    entered
}

/// Harms a master in the middle of traffic and checks what holds during and after it.
async fn survives(harm: impl FnOnce(&RedisServer)) {
    let cluster = RedisCluster::start();
    let redis = config(cluster.addrs());
    let tag = |shard: u16| format!("{}{{p{shard}}}:seen", redis.key_prefix);
    let cache = open(&CacheConfig::Cluster(redis.clone())).await;
    let kept = enter_all(&cache, "kept").await;
    cache.begin_watch().await.unwrap();
    cluster.replicate();

    let stop = Arc::new(AtomicBool::new(false));
    let mut running = JoinSet::new();
    for user in 0..8 {
        running.spawn(traffic(cache.clone(), user, stop.clone()));
    }
    let mut unharmed = String::new();
    for number in 0.. {
        unharmed = room(number);
        let key = tag(shard_of(&cache, &unharmed).await);
        if cluster.master_of(&key, 0).port() != cluster.master_of(&tag(0), 0).port() {
            break;
        }
    }
    let on_the_side = tokio::spawn(beats(cache.clone(), unharmed, stop.clone()));
    let began = Instant::now();
    harm(cluster.master_of(&tag(0), 0));
    let healthy = eventually("all shards answer again", SOON, async || {
        cache.ping().await.ok().map(|()| began.elapsed())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let mut failures = 0;
    let mut longest = Duration::ZERO;
    while let Some(result) = running.join_next().await {
        let (failed, took) = result.unwrap();
        failures += failed;
        longest = longest.max(took);
    }
    let (others, others_failed, others_longest) = on_the_side.await.unwrap();
    println!("other shards: {others} calls, {others_failed} failed, the longest took {others_longest:?}");
    println!("recovered after {healthy:?}; {failures} calls failed, the longest took {longest:?}");
    assert!(longest < LIMIT && others_longest < LIMIT, "{longest:?} {others_longest:?}");
    assert!(others_failed * 20 < others, "other masters go on");
    assert!(cache.failed_at().is_some(), "calls failed, and that is remembered");

    // What was acknowledged and on a replica is there; nothing is counted wrongly.
    let kept: Vec<Member> = kept.into_iter().collect();
    assert_eq!(cache.present(&kept).await.unwrap(), vec![true; kept.len()]);
    assert_consistent(&cache).await;
    for shard in 0..cache.shards() {
        let answer = cache.remove_silent(shard, Duration::from_secs(3600), 10, false).await.unwrap();
        assert_eq!(answer, Silent::Waiting, "the watch is not forgotten");
    }
    enter_all(&cache, "later").await;
    assert_consistent(&cache).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_is_replaced() {
    survives(RedisServer::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_hangs_is_replaced() {
    survives(RedisServer::freeze).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_survive_the_loss_of_any_node() {
    let cluster = RedisCluster::start();
    // Only one node is configured; the others are found.
    let redis = config(cluster.addrs()[..1].to_vec());
    let cache = open(&CacheConfig::Cluster(redis.clone())).await;
    let speaker = open(&CacheConfig::Cluster(redis)).await;
    cluster.nodes[0].kill();
    eventually("the cluster is whole again", SOON, async || speaker.ping().await.ok()).await;
    eventually("announcements arrive", SOON, async || {
        let mut listener = cache.announcements();
        speaker.announce("user", "1").await.ok()?;
        let heard = async { while listener.recv().await.unwrap() == Announcement::Resync {} };
        tokio::time::timeout(Duration::from_millis(300), heard).await.ok()
    })
    .await;
}

/// Redirections with a host, and those without one, which mean the host that was asked.
#[rstest]
#[case("ip")]
#[case("unknown-endpoint")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_follow_a_slot_on_its_way_to_another_master(#[case] endpoint: &str) {
    let cluster = RedisCluster::start();
    let redis = config(cluster.addrs());
    let cache = open(&CacheConfig::Cluster(redis.clone())).await;
    let enter = |user_id| Enter { live_id: "1", user_id, ..Enter::default() };
    cache.enter(enter("before")).await.unwrap();
    let shard = shard_of(&cache, "1").await;
    let tag = format!("{}{{p{shard}}}:", redis.key_prefix);
    let from = cluster.master_of(&tag, 0);
    let to = cluster.master_of("another slot", 0);
    let to = if to.port() == from.port() { cluster.master_of("one more slot", 0) } else { to };
    assert_ne!(from.port(), to.port());
    for node in &cluster.nodes {
        node.run::<()>(&["CONFIG", "SET", "cluster-preferred-endpoint-type", endpoint]);
    }
    let slot = from.run::<u16>(&["CLUSTER", "KEYSLOT", &tag]).to_string();
    let (from_id, to_id): (String, String) = (from.run(&["CLUSTER", "MYID"]), to.run(&["CLUSTER", "MYID"]));
    to.run::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.run::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);

    // A key that is not there any more, or not yet, is asked for at the new master.
    let key = format!("{{p{shard}}}:value");
    cache.set(&key, "asked", SOON).await.unwrap();
    assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("asked"));
    assert_eq!(cache.get("{p0} elsewhere").await.unwrap(), None);
    // While the keys of a script are apart nobody can run it; it waits.
    let waiting = tokio::spawn({
        let cache = cache.clone();
        async move { cache.enter(Enter { live_id: "1", user_id: "during", ..Enter::default() }).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    let port = to.port().to_string();
    for key in from.run::<Vec<String>>(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]) {
        from.run::<()>(&["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"]);
    }
    for node in [to, from] {
        node.run::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    assert_eq!(waiting.await.unwrap().unwrap().online, 2);
    assert_eq!(cache.enter(enter("moved")).await.unwrap().online, 3);
    assert!(cache.heard("1", "before", false).await.unwrap());
    assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("asked"));
}
