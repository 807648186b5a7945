//! Everybody goes on to another room at once.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use serde_json::json;

use super::bed::number;
use crate::support::client::Client;
use crate::support::server::{Backend, Setup};

/// Who watch, unless a long run says otherwise.
const VIEWERS: usize = 600;
/// In which all must be in the other room.
const LIMIT: Duration = Duration::from_secs(10);
/// Requests under way while the viewers are prepared.
const PREPARED_AT_ONCE: usize = 32;

async fn join(viewer: &Client, live_id: &str) -> u16 {
    viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.status
}

/// The former room is not in memory anywhere, and a pool of ten connections is all there is: a join that asked
/// for a second one would wait for those that wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_of_a_deleted_room_join_another_at_once() {
    let setup = Setup::new(Backend::Redis).await.replacing("max_open_conns: 8", "max_open_conns: 10");
    let server = setup.with("live: {viewer_timeout_s: 600}").start().await;
    let (one, other) = (server.client_of("one").await, server.client_of("other").await);
    let first = one.go_live("first").await["live_id"].as_str().unwrap().to_owned();
    let second = other.go_live("second").await["live_id"].as_str().unwrap().to_owned();
    let client = server.client();
    let count = number("LIVELOOM_JOINS", VIEWERS);
    let preparing = (0..count).map(async |viewer| {
        let viewer = client.log_in(&format!("viewer-{viewer}")).await;
        assert_eq!(join(&viewer, &first).await, 200);
        viewer
    });
    let viewers: Vec<Client> = iter(preparing).buffer_unordered(PREPARED_AT_ONCE).collect().await;
    one.delete(&format!("/client/live/room/{first}")).await.data();
    client.delete(&format!("/server/live/{first}")).await.data();

    let begun = Instant::now();
    let joined = join_all(viewers.iter().map(|viewer| join(viewer, &second))).await;
    let took = begun.elapsed();
    let refused = joined.iter().filter(|status| **status != 200).count();
    println!("{count} joins in {took:?}");
    assert_eq!(refused, 0, "of {count} joins, {took:?}");
    assert!(took < LIMIT, "{count} joins took {took:?}");
    let info = other.get(&format!("/client/live/room/info/{second}")).await.data();
    assert_eq!(info["online_count"], count + 1, "{info}");
}
