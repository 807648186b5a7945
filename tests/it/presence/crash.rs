//! A server that dies while it puts out the silent.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::bed::shown;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

/// Less than it takes until rows without presence are looked for.
const LIMIT: Duration = Duration::from_secs(60);

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_silent_are_out_once_whatever_crashes(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
    #[values("silence.removed", "silence.written")] step: &str,
) {
    let setup = Setup::new(backend).await.with("live: {viewer_timeout_s: 3, anchor_timeout_s: 600}");
    let mut server = setup.crashing_at(step).start().await;
    let (anchor, viewer) = (server.client_of("anchor").await, server.client_of("viewer").await);
    let live_id = anchor.go_live("room").await["live_id"].as_str().unwrap().to_owned();
    // The server may be gone before it has answered.
    viewer.try_post(&format!("/client/live/room/user/{live_id}"), json!({})).await;
    server.crashed(LIMIT).await;
    server.start().await;
    wait_until("both are out", LIMIT, async || shown(&viewer, &live_id).await == (0, false, 0)).await;
    let left = "SELECT live_id FROM event_log WHERE kind = 'anchor_left'";
    assert_eq!(server.database().rows(left).await.len(), 1, "the anchor has left once");
    // A heartbeat brings back one whom silence put out.
    anchor.get(&format!("/client/live/room/heartbeat/{live_id}")).await.data();
    assert_eq!(shown(&viewer, &live_id).await, (1, true, 1));
}
