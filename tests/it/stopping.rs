//! A server that is asked to stop: it drains first.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::support::realtime::Socket;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

async fn start(backend: Backend, drain_s: u64) -> ServerProcess {
    Setup::new(backend).await.with(&format!("realtime: {{drain_s: {drain_s}}}")).start().await
}

async fn until_draining(server: &ServerProcess) {
    let client = server.client();
    wait_until("the server drains", SOON, async || client.get("/readyz").await.status == 503).await;
}

#[rstest]
#[tokio::test]
async fn a_server_that_drains_serves_who_still_comes_and_sends_them_away(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
) {
    let mut server = start(backend, 3).await;
    let url = format!("http://127.0.0.1:{}", server.setup().port());
    let kept = reqwest::Client::new();
    let before = kept.get(format!("{url}/healthz")).send().await.unwrap();
    assert!(before.headers().get("connection").is_none(), "{before:?}");
    let begun = Instant::now();
    server.signal("TERM");
    until_draining(&server).await;
    let not_ready = server.client().get("/readyz").await;
    assert!(not_ready.body["message"].as_str().unwrap().contains("draining"), "{not_ready:?}");
    // Over the connection from before, and over new ones.
    for client in [kept.clone(), kept, reqwest::Client::new()] {
        let answer = client.get(format!("{url}/healthz")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["connection"].to_str().unwrap()),
            (200, "close")
        );
    }
    // All of the API is there, not only the probes.
    let room = server.client_of("anchor").await.go_live("the last one").await;
    assert!(room["live_id"].is_string());
    assert!(server.ended(SOON).await.success());
    assert!(begun.elapsed() >= Duration::from_secs(3), "it drained for {:?}", begun.elapsed());
    assert!(server.client().try_get("/healthz").await.is_none());
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_the_first() {
    let mut server = start(Backend::Embedded, 60).await;
    server.signal("TERM");
    until_draining(&server).await;
    server.signal("TERM");
    assert!(server.ended(SOON).await.success());
}

#[tokio::test]
async fn an_interrupt_stops_at_once_and_says_so_to_connections() {
    let mut server = start(Backend::Embedded, 60).await;
    let viewer = server.client_of("viewer").await;
    let url = format!("ws://127.0.0.1:{}/realtime", server.setup().port());
    let mut socket = Socket::log_in(&url, viewer.token()).await;
    server.signal("INT");
    assert_eq!(socket.close_code().await, 3001);
    assert!(server.ended(SOON).await.success());
}

/// Likes are in the table, and the next leader need not wait for the lease, when a leader has ended.
#[tokio::test]
async fn the_leader_leaves_nothing_behind() {
    let mut first = Setup::new(Backend::Redis).await.with("cron: {lease_s: 30}").start().await;
    let anchor = first.client_of("anchor").await;
    let live_id = anchor.go_live("liked").await["live_id"].as_str().unwrap().to_owned();
    let viewer = first.client_of("viewer").await;
    viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    viewer.put(&format!("/client/live/room/{live_id}/like"), json!({"count": 7})).await.data();
    assert!(first.terminate(SOON).await.success());
    let sql = "SELECT COUNT(*) FROM stats_single_live WHERE type = 6 AND count = 7";
    assert_eq!(count(&first, sql).await, 1, "the likes are written");
    let sql = "SELECT COUNT(*) FROM leader_lease WHERE owner <> ''";
    assert_eq!(count(&first, sql).await, 0, "nobody holds the lease");
}

async fn count(server: &ServerProcess, sql: &str) -> i64 {
    let rows = crate::support::gift_ledgers::rows::<1>(
        server.database(),
        &sql.replace("COUNT(*)", "CAST(COUNT(*) AS CHAR)"),
    )
    .await;
    rows[0][0].parse().unwrap()
}
