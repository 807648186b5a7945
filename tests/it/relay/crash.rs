//! A server that dies in the middle of a start or a stop.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::support::client::Client;
use crate::support::server::{Backend, ServerProcess, Setup};

const LIMIT: Duration = Duration::from_secs(20);

/// Of each room its PK; of each session its status; the kinds of the events of PKs.
async fn stored(server: &ServerProcess) -> (Vec<String>, Vec<String>, Vec<String>) {
    let texts = async |sql: &str| -> Vec<String> {
        let rows = server.database().rows(sql).await;
        rows.into_iter().map(|row| row.into_iter().next().flatten().unwrap_or_default()).collect()
    };
    (
        texts("SELECT pk_id FROM live_entities ORDER BY id").await,
        texts("SELECT CAST(status AS CHAR) FROM relay_sessions ORDER BY id").await,
        texts("SELECT kind FROM event_log WHERE kind LIKE 'pk!_%' ESCAPE '!' ORDER BY id").await,
    )
}

struct Anchors {
    init: Client,
    init_room: String,
    recv_room: String,
}

impl Anchors {
    async fn call(&self) -> Option<crate::support::client::Answer> {
        let body =
            json!({"init_room_id": self.init_room, "recv_room_id": self.recv_room, "recv_user_id": "recv"});
        self.init.try_post("/client/relay/start", body).await
    }
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_or_stop_that_dies_is_done_wholly_or_not_at_all(#[case] backend: Backend) {
    let mut server = Setup::new(backend).await.start().await;
    let (init, recv) = (server.client_of("init").await, server.client_of("recv").await);
    let room = |view: serde_json::Value| view["live_id"].as_str().unwrap().to_owned();
    let anchors = Anchors {
        init_room: room(init.go_live("init").await),
        recv_room: room(recv.go_live("recv").await),
        init,
    };
    let (mut statuses, mut events) = (Vec::<String>::new(), Vec::<String>::new());
    for (step, is_done) in [("relay.bound", false), ("relay.start_announced", false), ("relay.started", true)]
    {
        die_at(&mut server, step, async || anchors.call().await.is_some()).await;
        if is_done {
            statuses.push("1".to_owned());
            events.push("pk_started".to_owned());
        }
        let (bound, found_statuses, found_events) = stored(&server).await;
        assert!(bound.iter().all(|sid| sid.is_empty() != is_done), "{step}: {bound:?}");
        assert_eq!((&found_statuses, &found_events), (&statuses, &events), "{step}");
    }
    let view = anchors.init.get(&format!("/client/live/room/info/{}", anchors.init_room)).await.data();
    let sid = view["pk_id"].as_str().unwrap().to_owned();
    let stop = format!("/client/relay/{sid}/stop");
    for (step, is_done) in
        [("relay.unbound", false), ("relay.stop_announced", false), ("relay.stopped", true)]
    {
        die_at(&mut server, step, async || anchors.init.try_post(&stop, json!({})).await.is_some()).await;
        if is_done {
            statuses = vec!["6".to_owned()];
            events.push("pk_stopped".to_owned());
        }
        let (bound, found_statuses, found_events) = stored(&server).await;
        let wanted = if is_done { "" } else { sid.as_str() };
        assert_eq!(bound, [wanted, wanted], "{step}");
        assert_eq!((&found_statuses, &found_events), (&statuses, &events), "{step}");
    }
    anchors.init.post(&stop, json!({})).await.data();
    anchors.call().await.expect("an answer").data();
}

/// Starts the server so that it dies at `step`, lets `call` find that out, and starts it again.
async fn die_at(server: &mut ServerProcess, step: &'static str, call: impl AsyncFn() -> bool) {
    server.kill();
    server.crash_at(Some(step));
    server.start().await;
    assert!(!call().await, "{step}: nobody answers");
    server.crashed(LIMIT).await;
    server.crash_at(None);
    server.start().await;
}
