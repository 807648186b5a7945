//! Servers that end, and start over a cache that knows nobody.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use sqlx::Executor;

use super::bed::shown;
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::client::Client;
use crate::support::env;
use crate::support::redis::RedisServer;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(40);

/// A live room with its anchor and a viewer.
async fn room(server: &ServerProcess) -> (Client, String) {
    let (anchor, viewer) = (server.client_of("anchor").await, server.client_of("viewer").await);
    let live_id = anchor.go_live("room").await["live_id"].as_str().unwrap().to_owned();
    viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    (viewer, live_id)
}

async fn execute(server: &ServerProcess, sql: &'static str) {
    if server.database().schema().is_empty() {
        server.database().sqlite().await.execute(sql).await.unwrap();
    } else {
        server.database().mysql().await.execute(sql).await.unwrap();
    }
}

/// A QNLiveKit_Server that is started next looks at the rows, and so does an empty cache.
#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_writes_the_latest_heartbeats(#[case] backend: Backend) {
    let mut server = Setup::new(backend).await.start().await;
    let (viewer, live_id) = room(&server).await;
    let anchor = server.client_of("anchor").await;
    execute(&server, "UPDATE live_room_user_entities SET heart_beat_at = '2021-01-01 00:00:00'").await;
    execute(&server, "UPDATE live_entities SET last_heartbeat_at = '2021-01-01 00:00:00'").await;
    for user in [&viewer, &anchor] {
        user.get(&format!("/client/live/room/heartbeat/{live_id}")).await.data();
    }
    assert!(server.terminate(LIMIT).await.success());
    let old = "SELECT user_id FROM live_room_user_entities WHERE heart_beat_at < '2022-01-01'";
    assert_eq!(server.database().rows(old).await, Vec::<Vec<Option<String>>>::new());
    let old = "SELECT live_id FROM live_entities WHERE last_heartbeat_at < '2022-01-01'";
    assert_eq!(server.database().rows(old).await, Vec::<Vec<Option<String>>>::new());
}

/// Nobody sends a heartbeat after the start: what is shown comes from the rows, and silence ends it.
#[rstest]
#[case::embedded(Backend::Embedded, false)]
#[case::embedded_killed(Backend::Embedded, true)]
#[case::redis(Backend::Redis, false)]
#[case::redis_killed(Backend::Redis, true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_an_empty_cache_shows_who_is_there(#[case] backend: Backend, #[case] is_killed: bool) {
    let redis = (backend == Backend::Redis).then(|| RedisServer::start(&[]));
    let mut setup = Setup::new(backend).await.with("live: {viewer_timeout_s: 12}");
    if let Some(redis) = &redis {
        setup = setup.replacing(&env::redis(), &redis.addr());
    }
    let mut server = setup.start().await;
    let (viewer, live_id) = room(&server).await;
    assert_eq!(shown(&viewer, &live_id).await, (2, true, 2));
    if is_killed {
        server.kill();
    } else {
        assert!(server.terminate(LIMIT).await.success());
    }
    if let Some(redis) = &redis {
        let _: () = redis.run(&["FLUSHALL"]);
    }
    server.start().await;
    let started = Instant::now();
    wait_until("presence is restored", Duration::from_secs(10), async || {
        shown(&viewer, &live_id).await == (2, true, 2)
    })
    .await;
    wait_until("ghosts are out", LIMIT, async || shown(&viewer, &live_id).await == (0, false, 0)).await;
    // They count as heard from the restoration on, which may be a little before the server was seen to be ready.
    assert!(started.elapsed() >= Duration::from_secs(8), "not before their time: {:?}", started.elapsed());
    viewer.get(&format!("/client/live/room/heartbeat/{live_id}")).await.data();
    assert_eq!(shown(&viewer, &live_id).await, (1, false, 1));
}

/// The cache is away, and has lost its contents when it is back: the outage begins the watch anew, which must not
/// hide the loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_was_away_and_lost_its_contents_is_filled_at_once() {
    let redis = RedisServer::start(&[]);
    let proxy = ChaosProxy::start(redis.addr()).await.unwrap();
    let setup = Setup::new(Backend::Redis).await.replacing(&env::redis(), &proxy.addr());
    let server = setup.with("live: {viewer_timeout_s: 600}").start().await;
    let (viewer, live_id) = room(&server).await;
    wait_until("the leader watches", LIMIT, async || {
        let keys: Vec<String> = redis.run(&["KEYS", "*:since"]);
        keys.len() == 64
    })
    .await;
    proxy.set(Mode::Refuse);
    let heartbeat = format!("/client/live/room/heartbeat/{live_id}");
    wait_until("heartbeats fail", LIMIT, async || viewer.get(&heartbeat).await.status == 503).await;
    let _: () = redis.run(&["FLUSHALL"]);
    proxy.set(Mode::Pass);
    wait_until("presence is restored", Duration::from_secs(15), async || {
        shown(&viewer, &live_id).await == (2, true, 2)
    })
    .await;
}
