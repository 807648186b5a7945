//! `kill -9` at every step: each event is delivered at least once, under one id, in its room's order.

use std::time::Duration;

use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::db::Db;

use super::bed::SOON;
use crate::support::callback_receiver::{Mood, PLAIN_SECRET, Receiver, SECRET};
use crate::support::client::Client;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::{wait_for, wait_until};

async fn setup(backend: Backend, receiver: &Receiver) -> Setup {
    let addr = receiver.addr();
    let callback = format!("{{addr: '{addr}', secrets: ['{SECRET}', '{PLAIN_SECRET}'], timeout_s: 1}}");
    Setup::new(backend).await.with(&format!("callback: {callback}"))
}

/// Creates, starts and ends a room, as far as the server lives.
async fn use_room(anchor: &Client) -> Option<String> {
    let room = anchor.try_post("/client/live/room/instance", json!({ "title": "t" })).await?;
    let live_id = room.body["data"]["live_id"].as_str()?.to_owned();
    let path = format!("/client/live/room/{live_id}");
    anchor.try_put(&path, json!({})).await?;
    anchor.try_post(&path, json!({})).await?;
    Some(live_id)
}

/// The rooms with the numbers of their events that callbacks tell of. Ends the leases of the dead server
/// as well, so that nobody has to wait for that.
async fn stored(server: &ServerProcess) -> Vec<(String, Vec<i64>)> {
    let db = server.database().connect().await;
    let expire = "UPDATE room_lane SET callback_due = 1 WHERE callback_owner IS NOT NULL";
    db.writer().execute_unprepared(expire).await.unwrap();
    let sql = "SELECT live_id, seq FROM event_log WHERE kind IN ('live_created', 'live_started', 'live_stopped', \
               'live_deleted') ORDER BY live_id, seq";
    let rows = db.writer().query_all_raw(sea_orm::Statement::from_string(db.dialect().backend(), sql)).await;
    let mut rooms: Vec<(String, Vec<i64>)> = Vec::new();
    for row in rows.unwrap() {
        let (live_id, seq): (String, i64) =
            (row.try_get("", "live_id").unwrap(), row.try_get("", "seq").unwrap());
        match rooms.last_mut().filter(|(last, _)| *last == live_id) {
            Some((_, seqs)) => seqs.push(seq),
            None => rooms.push((live_id, vec![seq])),
        }
    }
    db.close().await;
    rooms
}

#[rstest]
#[case::claimed("callback.claimed")]
#[case::posted("callback.posted")]
#[case::recorded("callback.recorded")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_tells_everything_after_its_return(
    #[case] step: &str,
    #[values(Backend::Redis, Backend::Embedded)] backend: Backend,
) {
    let receiver = Receiver::start().await;
    let mut server = setup(backend, &receiver).await.crashing_at(step).start().await;
    let anchor = server.client_of("anchor").await;
    for _ in 0..3 {
        use_room(&anchor).await;
    }
    server.crashed(SOON).await;
    let rooms = stored(&server).await;
    assert!(!rooms.is_empty());
    server.start().await;
    for (live_id, seqs) in &rooms {
        wait_until("all of it is told", SOON, async || receiver.taken(live_id) == *seqs).await;
    }
    // The receiver has checked that there was one id for each event.
    let again = use_room(&server.client_of("other").await).await.unwrap();
    wait_until("and it goes on", SOON, async || receiver.taken(&again).len() == 3).await;
}

/// As if `time` had passed for what rests.
async fn pass(db: &Db, time: Duration) {
    let ms = time.as_millis();
    for sql in [
        format!("UPDATE room_lane SET callback_due = callback_due - {ms} WHERE callback_owner IS NULL"),
        format!("UPDATE callback_delivery SET due = due - {ms} WHERE owner IS NULL"),
    ] {
        db.writer().execute_unprepared(&sql).await.unwrap();
    }
}

#[rstest]
#[case::stepping_out("callback.posted:3")]
#[case::stepped_out("callback.recorded:3")]
#[case::claimed("callback.alone_claimed")]
#[case::posted("callback.alone_posted")]
#[case::recorded("callback.alone_recorded")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_event_that_failed(#[case] step: &str) {
    let receiver = Receiver::start().await;
    receiver.set_mood(Mood::Code(5));
    let mut server = setup(Backend::Redis, &receiver).await.crashing_at(step).start().await;
    let db = server.database().connect().await;
    let anchor = server.client_of("anchor").await;
    let room = anchor.post("/client/live/room/instance", json!({ "title": "t" })).await.data();
    let live_id = room["live_id"].as_str().unwrap().to_owned();
    let id = format!("evt_{live_id}_1");
    // Time passes in leaps until the server is dead: the third failure, then the attempt alone.
    wait_for("the server dies", SOON, async || {
        pass(&db, Duration::from_secs(200)).await;
        server.try_crashed()
    })
    .await;
    receiver.set_mood(Mood::Well);
    server.start().await;
    wait_until("it is told", SOON, async || {
        pass(&db, Duration::from_secs(200)).await;
        receiver.taken(&live_id) == [1]
    })
    .await;
    assert!(receiver.calls().iter().all(|call| call.webhook_id == id));
    db.close().await;
}
