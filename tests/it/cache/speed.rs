//! The cache under load: what it answers is checked, how fast is printed and not judged. To see
//! it: `cargo test --test it cache::speed -- --nocapture`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use config::CacheConfig;
use redis::aio::MultiplexedConnection;
use store::cache::{Cache, Enter, Member, Silent};
use tokio::task::JoinSet;

use super::backend::{Backend, eventually};

const TASKS: usize = 64;
const CALLS: usize = 200;

/// Runs calls from many tasks at once, and prints how many there were each second.
async fn measure<F>(what: &str, call: impl Fn(usize) -> F)
where
    F: Future<Output = bool> + Send + 'static,
{
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let calls: Vec<F> = (0..CALLS).map(|number| call(task * CALLS + number)).collect();
        tasks.spawn(async move {
            for call in calls {
                assert!(call.await);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let per_second = (TASKS * CALLS) as u128 * 1_000_000 / start.elapsed().as_micros();
    println!("{what}: {per_second}/s");
}

/// Heartbeats as they would be without gathering: one script call each.
async fn heard_alone(
    mut redis: MultiplexedConnection,
    script: Arc<redis::Script>,
    room: String,
    user: String,
) -> bool {
    let mut call = script.prepare_invoke();
    call.key("alone:{p1}:seen").key("alone:{p1}:anchors").arg(format!("{room}:{user}")).arg("");
    let present: Vec<bool> = call.invoke_async(&mut redis).await.unwrap();
    !present[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_beside_plain_reads() {
    let on = Backend::node().await;
    let CacheConfig::Node(config) = &on.config else { unreachable!() };
    let user = |number: usize| ((number % 100).to_string(), number.to_string());
    let members: Vec<Member> =
        (0..TASKS * CALLS).map(user).map(|(room, user)| Member::new(room, user)).collect();
    on.cache.restore(&members, &[]).await.unwrap();
    on.cache.set("key", "value", Duration::from_secs(60)).await.unwrap();
    let client = redis::Client::open(format!("redis://{}/", config.addrs[0])).unwrap();
    let redis = client.get_multiplexed_async_connection().await.unwrap();
    let script =
        Arc::new(redis::Script::new(include_str!("../../../crates/store/src/cache/scripts/heard.lua")));
    for _ in 0..2 {
        let cache = on.cache.clone();
        measure("GET", |_| {
            let cache = cache.clone();
            async move { cache.get("key").await.unwrap().is_some() }
        })
        .await;
        measure("heartbeat, a script call each", |number| {
            let (room, user) = user(number);
            heard_alone(redis.clone(), script.clone(), room, user)
        })
        .await;
        let calls_before = script_calls(&mut redis.clone()).await;
        measure("heartbeat", |number| {
            let (cache, (room, user)) = (cache.clone(), user(number));
            async move { cache.heard(&room, &user, false).await.unwrap() }
        })
        .await;
        let calls = script_calls(&mut redis.clone()).await - calls_before;
        println!("{} heartbeats in {calls} script calls", TASKS * CALLS);
        assert!(calls <= (TASKS * CALLS) as u64, "at most one round trip each");
    }
}

/// How many scripts the server ran by hash.
async fn script_calls(redis: &mut MultiplexedConnection) -> u64 {
    script_statistic(redis, "calls").await
}

/// A number that the server keeps of the scripts it ran by hash: calls, usec.
async fn script_statistic(redis: &mut MultiplexedConnection, name: &str) -> u64 {
    let info: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:")).unwrap_or_default();
    let field = line.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    field.and_then(|number| number.parse().ok()).unwrap_or_default()
}

const ROOMS: usize = 1_000;
const SILENT: usize = 100_000;
const TIMEOUT: Duration = Duration::from_secs(3);

/// Heartbeats of users who stay; answers how many, and the longest.
async fn stay(cache: Cache, stop: Arc<AtomicBool>) -> (u32, Duration) {
    let (mut count, mut longest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        for room in (0..ROOMS).step_by(50) {
            let start = Instant::now();
            assert!(cache.heard(&room.to_string(), "stays", false).await.unwrap());
            longest = longest.max(start.elapsed());
            count += 1;
        }
    }
    (count, longest)
}

/// `busy` answers the microseconds that the server has worked on scripts, if it counts them.
async fn a_hundred_thousand_leave(on: &Backend, busy: impl AsyncFn() -> u64) {
    let cache = &on.cache;
    let mut silent: HashSet<Member> =
        (0..SILENT).map(|number| Member::new((number % ROOMS).to_string(), number.to_string())).collect();
    cache.begin_watch().await.unwrap();
    cache.restore(&silent.iter().cloned().collect::<Vec<_>>(), &[]).await.unwrap();
    let restored = Instant::now();
    for room in (0..ROOMS).step_by(50) {
        let live_id = room.to_string();
        cache.enter(Enter { live_id: &live_id, user_id: "stays", ..Enter::default() }).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let staying = tokio::spawn(stay(cache.clone(), stop.clone()));
    eventually("all are silent", TIMEOUT * 2, async || (restored.elapsed() > TIMEOUT).then_some(())).await;

    let (mut calls, mut in_cache) = (0, Duration::ZERO);
    let busy_before = busy().await;
    for shard in 0..cache.shards() {
        loop {
            let start = Instant::now();
            let Silent::Found(gone) = cache.remove_silent(shard, TIMEOUT, 2_000, false).await.unwrap() else {
                panic!("it is watched for long enough")
            };
            in_cache += start.elapsed();
            calls += 1;
            for member in &gone {
                assert!(silent.remove(member), "{member} leaves once, and only the silent do");
            }
            if gone.len() < 2_000 {
                break;
            }
        }
    }
    println!("{} µs of work of the server, heartbeats included", busy().await - busy_before);
    stop.store(true, Ordering::Relaxed);
    let (beats, longest) = staying.await.unwrap();
    println!(
        "{SILENT} left in {calls} calls, {in_cache:?}; {beats} heartbeats meanwhile, the longest {longest:?}"
    );
    assert_eq!(silent.len(), 0);
    let rooms: Vec<String> = (0..ROOMS).map(|room| room.to_string()).collect();
    let rooms: Vec<(&str, &str)> = rooms.iter().map(|room| (room.as_str(), "stays")).collect();
    for (number, state) in cache.room_states(&rooms).await.unwrap().into_iter().enumerate() {
        assert_eq!((state.online, state.anchor_in), (u64::from(number % 50 == 0), number % 50 == 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_leave_a_node() {
    let on = Backend::node().await;
    let CacheConfig::Node(config) = &on.config else { unreachable!() };
    let client = redis::Client::open(format!("redis://{}/", config.addrs[0])).unwrap();
    let redis = client.get_multiplexed_async_connection().await.unwrap();
    a_hundred_thousand_leave(&on, async || script_statistic(&mut redis.clone(), "usec").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_leave_a_cluster() {
    a_hundred_thousand_leave(&Backend::cluster().await, async || 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_leave_memory() {
    a_hundred_thousand_leave(&Backend::memory().await, async || 0).await;
}
