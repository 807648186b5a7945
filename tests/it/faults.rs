//! A server whose database or cache is cut off, and comes back.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::client::{Answer, Client};
use crate::support::env;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

/// How long the answer of a call that cannot be served may take.
const REFUSAL_LIMIT: Duration = Duration::from_secs(2);

/// How soon after the return of what was cut off calls are served again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(2);

/// More calls at once than there are connections to the database.
const CALLS_AT_ONCE: usize = 30;

/// A server that reaches its stores through proxies, with a live room.
struct Bed {
    database: ChaosProxy,
    cache: ChaosProxy,
    anchor: Client,
    viewer: Client,
    live_id: String,
    _server: ServerProcess,
}

impl Bed {
    async fn start() -> Self {
        let setup = Setup::new(Backend::Redis).await;
        let database_port = setup.database_port();
        let database = ChaosProxy::start(format!("127.0.0.1:{database_port}")).await.unwrap();
        let cache = ChaosProxy::start(env::redis()).await.unwrap();
        let server = setup
            .replacing(&format!("port: {database_port},"), &format!("port: {},", database.port()))
            .replacing(&env::redis(), &cache.addr())
            .start()
            .await;
        let (anchor, viewer) = (server.client_of("anchor").await, server.client_of("viewer").await);
        let live_id = anchor.go_live("faults").await["live_id"].as_str().unwrap().to_owned();
        viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
        assert!(database.connections() > 0 && cache.connections() > 0, "the server goes through the proxies");
        Self { database, cache, anchor, viewer, live_id, _server: server }
    }

    async fn like(&self) -> Answer {
        self.viewer.put(&format!("/client/live/room/{}/like", self.live_id), json!({})).await
    }

    fn heartbeat(&self) -> String {
        format!("/client/live/room/heartbeat/{}", self.live_id)
    }

    async fn create_room(&self) -> Answer {
        self.anchor.post("/client/live/room/instance", json!({"title": "another"})).await
    }

    /// The process is up, and says that it cannot work, and why.
    async fn assert_not_ready(&self, which: &str, other: &str) {
        self.until_not_ready().await;
        let ready = self.viewer.get("/readyz").await;
        assert_unavailable(&ready);
        let message = ready.body["message"].as_str().unwrap();
        assert!(message.contains(which) && !message.contains(other), "{message}");
        let alive = self.viewer.get("/healthz").await;
        assert_eq!((alive.status, alive.took < REFUSAL_LIMIT), (200, true), "{alive:?}");
    }

    /// An answer may be from a moment ago.
    async fn until_not_ready(&self) {
        wait_until("the server is not ready", 2 * REFUSAL_LIMIT, async || {
            self.viewer.get("/readyz").await.status != 200
        })
        .await;
    }

    async fn assert_ready_soon(&self) {
        wait_until("the server is ready again", RECOVERY_LIMIT, async || {
            self.viewer.get("/readyz").await.status == 200
        })
        .await;
    }
}

/// 503 in the envelope, quickly, without a word of what the driver said.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.took < REFUSAL_LIMIT, "{answer:?}");
    assert_eq!(answer.body["code"], 503, "{answer:?}");
    assert!(answer.body["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{answer:?}");
    assert!(answer.body.get("data").is_none(), "{answer:?}");
    let message = answer.body["message"].as_str().expect("a message").to_lowercase();
    let leaks = ["sql", "redis", "127.0.0.1", "refused", "reset", "broken pipe", "pool", "os error"];
    let leaked = leaks.iter().find(|word| message.contains(**word));
    assert!(leaked.is_none(), "{message:?} shows {leaked:?}");
}

#[rstest]
#[case::refused(Mode::Refuse)]
#[case::reset(Mode::Reset)]
#[case::silent(Mode::BlackHole)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_is_answered_quickly_and_forgotten_when_back(#[case] mode: Mode) {
    let bed = Bed::start().await;
    bed.like().await.data();
    bed.database.set(mode);

    assert_unavailable(&bed.create_room().await);
    bed.assert_not_ready("database", "cache").await;
    // None waits behind the others for a connection.
    for answer in join_all((0..CALLS_AT_ONCE).map(|_| bed.create_room())).await {
        assert_unavailable(&answer);
    }
    // A heartbeat needs nothing but the cache, and so does a like.
    bed.viewer.get(&bed.heartbeat()).await.data();
    assert_eq!(bed.like().await.data()["total"], 2);

    bed.database.set(Mode::Pass);
    wait_until("rooms are created again", RECOVERY_LIMIT, async || bed.create_room().await.status == 200)
        .await;
    bed.assert_ready_soon().await;
    for answer in join_all((0..CALLS_AT_ONCE).map(|_| bed.create_room())).await {
        answer.data();
    }
}

#[rstest]
#[case::refused(Mode::Refuse)]
#[case::reset(Mode::Reset)]
#[case::silent(Mode::BlackHole)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_cache_leaves_what_the_database_can_answer(#[case] mode: Mode) {
    let bed = Bed::start().await;
    bed.cache.set(mode);

    assert_unavailable(&bed.viewer.get(&bed.heartbeat()).await);
    assert_unavailable(&bed.like().await);
    bed.assert_not_ready("cache", "database").await;
    for answer in join_all((0..CALLS_AT_ONCE).map(|_| bed.viewer.get("/readyz"))).await {
        assert_unavailable(&answer);
    }
    let reads = [
        format!("/client/live/room/info/{}", bed.live_id),
        format!("/server/live/{}", bed.live_id),
        format!("/client/live/room/user_list?live_id={}", bed.live_id),
        "/client/live/room/list".to_owned(),
        "/client/live/room/list/anchor".to_owned(),
        "/client/live/room?keyword=fau".to_owned(),
        "/client/user/profile".to_owned(),
        "/client/user/user/anchor".to_owned(),
        "/server/user/info/viewer".to_owned(),
    ];
    for path in reads {
        let answer = bed.viewer.get(&path).await;
        assert!(answer.took < REFUSAL_LIMIT, "{path}: {answer:?}");
        assert!(answer.data().is_object(), "{path}");
    }

    bed.cache.set(Mode::Pass);
    wait_until("heartbeats are taken again", RECOVERY_LIMIT, async || {
        bed.viewer.get(&bed.heartbeat()).await.status == 200
    })
    .await;
    bed.assert_ready_soon().await;
    // Which of those that were refused had been counted nobody knows.
    bed.like().await.data();
    let users = bed.viewer.get(&format!("/client/live/room/user_list?live_id={}", bed.live_id)).await.data();
    assert_eq!(users["total_count"], 2, "nobody left: {users}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_both_names_both_and_recovers() {
    let bed = Bed::start().await;
    bed.database.set(Mode::BlackHole);
    bed.cache.set(Mode::BlackHole);

    bed.until_not_ready().await;
    let ready = bed.viewer.get("/readyz").await;
    assert_unavailable(&ready);
    let message = ready.body["message"].as_str().unwrap();
    assert!(message.contains("database") && message.contains("cache"), "{message}");
    assert_unavailable(&bed.create_room().await);
    assert_unavailable(&bed.viewer.get(&bed.heartbeat()).await);

    bed.database.set(Mode::Pass);
    bed.cache.set(Mode::Pass);
    bed.assert_ready_soon().await;
    bed.create_room().await.data();
    bed.viewer.get(&bed.heartbeat()).await.data();
}
