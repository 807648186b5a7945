//! Silence while heartbeats could not be stored is no silence.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::client::Client;
use crate::support::env;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const VIEWER_TIMEOUT: Duration = Duration::from_secs(2);
const ANCHOR_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than both.
const OUTAGE: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(30);

/// A live room with an anchor and a viewer, at a server with short time-outs.
struct Room {
    cache: ChaosProxy,
    viewer: Client,
    live_id: String,
    _server: ServerProcess,
}

impl Room {
    async fn open() -> Self {
        let cache = ChaosProxy::start(env::redis()).await.unwrap();
        let server = Setup::new(Backend::Redis)
            .await
            .with("live: {viewer_timeout_s: 2, anchor_timeout_s: 3}")
            .replacing(&env::redis(), &cache.addr())
            .start()
            .await;
        let (anchor, viewer) = (server.client_of("anchor").await, server.client_of("viewer").await);
        let live_id = anchor.go_live("outage").await["live_id"].as_str().unwrap().to_owned();
        viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
        Self { cache, viewer, live_id, _server: server }
    }

    async fn users(&self) -> u64 {
        let path = format!("/client/live/room/user_list?live_id={}", self.live_id);
        self.viewer.get(&path).await.data()["total_count"].as_u64().unwrap()
    }

    async fn status(&self) -> u64 {
        let path = format!("/client/live/room/info/{}", self.live_id);
        self.viewer.get(&path).await.data()["live_status"].as_u64().unwrap()
    }

    async fn heartbeat(&self) -> u16 {
        self.viewer.get(&format!("/client/live/room/heartbeat/{}", self.live_id)).await.status
    }
}

#[rstest]
#[case::refused(Mode::Refuse)]
#[case::silent(Mode::BlackHole)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_during_an_outage_of_the_cache_does_not_count(#[case] mode: Mode) {
    let room = Room::open().await;
    room.cache.set(mode);
    let cut = Instant::now();
    wait_until("an outage longer than every time-out", LIMIT, async || {
        assert_ne!(room.heartbeat().await, 200);
        assert_eq!((room.users().await, room.status().await), (2, 1), "nobody leaves meanwhile");
        cut.elapsed() > OUTAGE
    })
    .await;

    room.cache.set(Mode::Pass);
    let back = Instant::now();
    // Both are silent from now on.
    wait_until("the silent are out", LIMIT, async || room.users().await == 0).await;
    assert!(back.elapsed() >= VIEWER_TIMEOUT, "out after {:?}", back.elapsed());
    wait_until("the live has ended", LIMIT, async || room.status().await == 2).await;
    assert!(back.elapsed() >= ANCHOR_TIMEOUT, "ended after {:?}", back.elapsed());
}
