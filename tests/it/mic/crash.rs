//! A server that dies while a seat is taken or given up.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::support::client::Client;
use crate::support::server::{Backend, ServerProcess, Setup};

const LIMIT: Duration = Duration::from_secs(20);

/// Whether the guest's row says that they are in the room, and the status of their seat.
async fn stored(server: &ServerProcess) -> (bool, Option<String>) {
    let database = server.database();
    let members = "SELECT CAST(status AS CHAR) FROM live_room_user_entities WHERE user_id = 'guest'";
    let seats = "SELECT CAST(status AS CHAR) FROM live_mic_entities WHERE user_id = 'guest'";
    let (members, seats) = (database.rows(members).await, database.rows(seats).await);
    (members[0][0].as_deref() == Some("1"), seats.into_iter().next().and_then(|row| row[0].clone()))
}

async fn restart(server: &mut ServerProcess, step: Option<&'static str>) {
    server.kill();
    server.crash_at(step);
    server.start().await;
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_and_its_seat_end_together_or_not_at_all(#[case] backend: Backend) {
    let mut server = Setup::new(backend).await.start().await;
    let (anchor, guest): (Client, Client) =
        (server.client_of("anchor").await, server.client_of("guest").await);
    let live_id = anchor.go_live("live").await["live_id"].as_str().unwrap().to_owned();
    let place = format!("/client/live/room/user/{live_id}");
    guest.post(&place, json!({})).await.data();
    let up = json!({"live_id": live_id, "mic": true});

    restart(&mut server, Some("mic.taken")).await;
    assert!(guest.try_post("/client/mic", up.clone()).await.is_none());
    server.crashed(LIMIT).await;
    server.crash_at(None);
    server.start().await;
    assert_eq!(stored(&server).await, (true, None));

    guest.post("/client/mic", up).await.data();
    restart(&mut server, Some("live.left")).await;
    assert!(guest.try_delete(&place).await.is_none());
    server.crashed(LIMIT).await;
    server.crash_at(None);
    server.start().await;
    assert_eq!(stored(&server).await, (true, Some("0".to_owned())), "neither has ended");
    guest.delete(&place).await.data();
    assert_eq!(stored(&server).await, (false, Some("1".to_owned())), "both have");
}
