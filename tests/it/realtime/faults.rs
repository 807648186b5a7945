//! What breaks beneath and beside those who are connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::bed::{Bed, join};
use crate::broker::meddler::Meddler;
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::env;
use crate::support::follower::{Follower, Incoming, assert_one_order};
use crate::support::realtime::Socket;
use crate::support::redis::{RedisCluster, RedisServer};
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

/// History enough for all that a test says, and no limits.
const SETTINGS: &str = "realtime: {history_messages: 10000, publish_per_user_s: 0, publish_per_room_s: 0}";
const SOON: Duration = Duration::from_secs(60);

/// Two nodes, an anchor's room, and one who follows it at each node.
struct Stage {
    here: Bed,
    there: Bed,
    live_id: String,
    room: String,
    speaker: Socket,
    followers: [Follower; 2],
}

impl Stage {
    async fn of(setup: Setup) -> Self {
        let here = Bed::of(setup.with(SETTINGS)).await;
        let there = here.beside(2).await;
        let (anchor, mut speaker) = here.user("anchor").await;
        let (live_id, room) = here.room(&anchor).await;
        speaker.follow(&room).await;
        let followers = [("f-0", &here), ("f-1", &there)].map(|(name, bed)| {
            let (client, url, room, live_id) = (&here.client, bed.url(), &room, &live_id);
            async move {
                let user = client.log_in(name).await;
                join(&user, live_id).await;
                let mut follower = Follower::new(&[url], user.token(), room);
                follower.come(0).await;
                follower
            }
        });
        let followers = join_all(followers).await.try_into().unwrap_or_else(|_| panic!("two"));
        Self { here, there, live_id, room, speaker, followers }
    }

    /// Says a text until it is taken. What is refused is refused as unavailable.
    async fn say(&mut self, text: &str) {
        wait_until("the text is taken", SOON, async || {
            let params = json!({"channel": self.room, "action": "liveroom-pubchat", "data": text});
            let answer = self.speaker.ask("publish", params).await;
            let code = &answer["error"]["code"];
            assert!(code.is_null() || code == 503 || code == 429, "{answer}");
            code.is_null()
        })
        .await;
    }

    /// A third node that goes another way to Redis, and one who follows the room there.
    async fn apart(&self, redis: &str, way: &str) -> (Bed, Follower) {
        let apart = self.here.setup().beside(3).replacing(redis, way);
        let apart = self.here.beside_as(apart).await;
        let user = self.here.client.log_in("f-2").await;
        join(&user, &self.live_id).await;
        let mut follower = Follower::new(&[apart.url()], user.token(), &self.room);
        follower.come(0).await;
        (apart, follower)
    }

    /// Nobody's connection ended; each heard `text`, and the same order.
    async fn all_hear(&mut self, text: &str) {
        for follower in &mut self.followers {
            while !follower.heard.values().any(|heard| heard == text) {
                assert!(follower.listen().await, "the connection ended");
            }
        }
        assert_one_order(&self.followers.each_ref().map(|follower| follower.heard.clone()));
    }
}

fn over(redis: &str) -> impl Future<Output = Setup> {
    let redis = redis.to_owned();
    async move { Setup::new(Backend::Redis).await.replacing(&env::redis(), &redis) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_starts_anew_costs_no_connection() {
    let redis = RedisServer::start(&[]);
    let mut stage = Stage::of(over(&redis.addr()).await).await;
    stage.say("before").await;
    stage.all_hear("before").await;
    redis.kill();
    let params = json!({"channel": stage.room, "action": "liveroom-pubchat", "data": "meanwhile"});
    assert_eq!(stage.speaker.refused("publish", params).await, 503);
    redis.up();
    stage.say("after").await;
    stage.all_hear("after").await;
    for follower in &stage.followers {
        assert!(follower.lost > 0, "it is not told that the room begins anew");
    }
    // One who was away meanwhile is told the same.
    let [mut follower, _] = stage.followers;
    follower.cut();
    follower.come(0).await;
    assert_eq!((follower.recovered, follower.unrecovered), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_falls_silent_costs_no_message() {
    let proxy = ChaosProxy::start(env::redis()).await.unwrap();
    let mut stage = Stage::of(over(&proxy.addr()).await).await;
    stage.say("before").await;
    stage.all_hear("before").await;
    // Something in the middle forgets the connections of both nodes.
    proxy.set(Mode::Swallow);
    let params = json!({"channel": stage.room, "action": "liveroom-pubchat", "data": "meanwhile"});
    assert_eq!(stage.speaker.refused("publish", params).await, 503);
    proxy.set(Mode::Pass);
    stage.say("after").await;
    stage.all_hear("after").await;
    assert_eq!(stage.followers.each_ref().map(|follower| follower.lost), [0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_redis_for_a_while_catches_up() {
    let proxy = ChaosProxy::start(env::redis()).await.unwrap();
    let setup = Setup::new(Backend::Redis).await;
    let mut stage = Stage::of(setup).await;
    let (_apart, mut follower) = stage.apart(&env::redis(), &proxy.addr()).await;
    stage.say("before").await;
    follower.hear("before").await;
    proxy.set(Mode::Swallow);
    for number in 0..20 {
        stage.say(&format!("meanwhile {number}")).await;
    }
    stage.all_hear("meanwhile 19").await;
    proxy.set(Mode::Pass);
    follower.hear("meanwhile 19").await;
    assert_eq!((follower.lost, follower.recovered, follower.unrecovered), (0, 0, 0));
    for number in 0..20 {
        let text = format!("meanwhile {number}");
        assert!(follower.heard.values().any(|heard| *heard == text), "{text} is missing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_of_the_cluster_costs_no_connection() {
    let cluster = tokio::task::spawn_blocking(RedisCluster::start).await.unwrap();
    let setup = Setup::new(Backend::RedisCluster).await;
    let (shared, own) = (format!("{:?}", env::redis_cluster()), format!("{:?}", cluster.addrs()));
    let mut stage = Stage::of(setup.replacing(&shared, &own)).await;
    stage.say("before").await;
    stage.all_hear("before").await;
    let master = cluster.nodes.iter().find(|node| {
        let channels: Vec<String> = node.run(&["PUBSUB", "SHARDCHANNELS"]);
        channels.iter().any(|channel| channel.contains(&stage.room))
    });
    master.expect("a node has the channel").kill();
    stage.say("after").await;
    stage.all_hear("after").await;
    for follower in &stage.followers {
        assert!(follower.lost > 0, "it is not told that the room begins anew");
    }
}

/// A subscription that ended without a word is found by comparing positions, and made anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_falls_silent_is_found_and_its_gap_closed() {
    let redis = RedisServer::start(&[]);
    let mut stage = Stage::of(over(&redis.addr()).await).await;
    let meddler = Meddler::start(redis.addr()).await;
    let (_apart, mut follower) = stage.apart(&redis.addr(), &meddler.addr()).await;
    stage.say("before").await;
    follower.hear("before").await;
    let names: Vec<String> = redis.run(&["PUBSUB", "CHANNELS", &format!("*:channel:{}", stage.room)]);
    meddler.unsubscribe(&names[0], true);
    let heard_by = |redis: &RedisServer| -> (String, i64) { redis.run(&["PUBSUB", "NUMSUB", &names[0]]) };
    wait_until("one node hears no more", SOON, async || heard_by(&redis).1 == 2).await;
    stage.say("meanwhile").await;
    follower.hear("meanwhile").await;
    wait_until("all nodes hear again", SOON, async || heard_by(&redis).1 == 3).await;
    assert_eq!((follower.lost, follower.recovered, follower.unrecovered), (0, 0, 0));
}

/// A node that is killed under load: who was connected to it goes on at the other, and misses nothing
/// that was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_costs_no_message() {
    let mut stage = Stage::of(Setup::new(Backend::Redis).await).await;
    let urls = [stage.there.url(), stage.here.url()];
    let is_over = Arc::new(AtomicBool::new(false));
    let followers = join_all((0..8).map(async |number| {
        let user = stage.here.client.log_in(&format!("g-{number}")).await;
        join(&user, &stage.live_id).await;
        let mut follower = Follower::new(&urls, user.token(), &stage.room);
        follower.come(number % 2).await;
        follower
    }));
    let followers = followers.await.into_iter().map(|mut follower| {
        tokio::spawn(async move {
            follower.hear("the end").await;
            follower
        })
    });
    let followers: Vec<_> = followers.collect();
    let speakers = join_all((0..4).map(async |number| {
        let user = stage.here.client.log_in(&format!("s-{number}")).await;
        join(&user, &stage.live_id).await;
        (Socket::log_in(&urls[number % 2], user.token()).await, user.token().to_owned())
    }));
    let speakers = speakers.await.into_iter().enumerate().map(|(number, (socket, token))| {
        let (room, is_over) = (stage.room.clone(), Arc::clone(&is_over));
        tokio::spawn(speak(socket, urls.clone(), (number, token), room, is_over))
    });
    let speakers: Vec<_> = speakers.collect();
    let mut heard = 0;
    while heard < 40 {
        assert!(stage.followers[1].listen().await);
        heard = stage.followers[1].heard.len();
    }
    stage.there.server.kill();
    while stage.followers[0].heard.len() < heard + 40 {
        assert!(stage.followers[0].listen().await);
    }
    is_over.store(true, Ordering::Relaxed);
    let acknowledged: Vec<String> = join_all(speakers).await.into_iter().flat_map(Result::unwrap).collect();
    stage.say("the end").await;
    let followers: Vec<Follower> = join_all(followers).await.into_iter().map(Result::unwrap).collect();
    assert!(followers.iter().any(|follower| follower.recovered > 0), "nobody had to come back");
    for follower in &followers {
        assert_eq!((follower.unrecovered, follower.lost), (0, 0));
        for text in &acknowledged {
            let times = follower.heard.values().filter(|heard| *heard == text).count();
            assert_eq!(times, 1, "{text}");
        }
    }
    let heard: Vec<Incoming> = followers.into_iter().map(|follower| follower.heard).collect();
    assert_one_order(&heard);
}

/// Says numbered texts until it is over; those that were acknowledged.
async fn speak(
    mut socket: Socket,
    urls: [String; 2],
    (number, token): (usize, String),
    room: String,
    is_over: Arc<AtomicBool>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for count in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let text = format!("{number}-{count}");
        let params = json!({"channel": room, "action": "liveroom-pubchat", "data": text});
        match socket.try_ask("publish", params).await {
            Some(answer) if answer["result"]["offset"].is_u64() => acknowledged.push(text),
            Some(answer) => {
                let wait = answer["error"]["retry_after_ms"].as_u64().unwrap_or_else(|| panic!("{answer}"));
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            // Whether the text was taken is not known: it is not said again.
            None => socket = Socket::log_in(&urls[1], &token).await,
        }
        socket.forget_pushes();
    }
    acknowledged
}
