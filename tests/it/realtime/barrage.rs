//! CONNMIX's barrage protocol: who follows a video gets what is published there, as it was published.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::bed::{Bed, next_but_start};
use crate::support::client::Client;
use crate::support::realtime::Socket;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

/// The mesh API as in CONNMIX, without credentials.
const OPEN: &str = "realtime: {mesh_auth: off}";
const DONE: &str = r#"{"result":true}"#;
/// The event of the documents, as their curl sends it.
const EVENT: &str = r#"{"event":"@video","data":{"uid":1001,"video_id":100001,"msg":"Hello,World!"}}"#;

fn url(setup: &Setup) -> String {
    format!("ws://127.0.0.1:{}/barrage-videos", setup.port())
}

/// A viewer, and the id by which backends can send to them.
async fn viewer(setup: &Setup) -> (Socket, String) {
    let (socket, headers) = Socket::try_open_with(&url(setup), &[]).await.unwrap();
    (socket, headers["x-client-id"].to_str().unwrap().to_owned())
}

/// Says something, and takes the answer.
async fn told(viewer: &mut Socket, text: &str) -> String {
    viewer.send(text).await;
    viewer.next_text().await.expect("an answer")
}

async fn watch(viewer: &mut Socket, video: &str) {
    let request = json!({"op": "subscribe", "channel": format!("{video}@video")});
    assert_eq!(told(viewer, &request.to_string()).await, DONE);
}

async fn publish(backend: &Client, video: &str, data: &str) {
    let call = json!({"c": format!("video:{video}"), "d": data});
    let answer = backend.post("/v1/mesh/publish", call).await;
    assert_eq!((answer.status, answer.body), (200, json!({"E": null, "r": {"s": 1, "f": 0}})));
}

/// The session of the documents: with a viewer here, and a backend that calls `backend`'s node.
async fn session(setup: &Setup, backend: &Client) {
    let (mut viewer, _) = viewer(setup).await;
    assert_eq!(told(&mut viewer, r#"{"op":"subscribe","channel":"100001@video"}"#).await, DONE);
    publish(backend, "100001", EVENT).await;
    assert_eq!(viewer.next_text().await.as_deref(), Some(EVENT));
    watch(&mut viewer, "2").await;
    assert_eq!(told(&mut viewer, r#"{"op":"unsubscribe","channel":"100001@video"}"#).await, DONE);
    publish(backend, "100001", "nobody hears this").await;
    publish(backend, "2", "the next video").await;
    assert_eq!(viewer.next_text().await.as_deref(), Some("the next video"));
}

#[tokio::test]
async fn a_viewer_follows_a_video_as_the_documents_show() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    session(bed.setup(), &bed.client).await;
}

#[tokio::test]
async fn what_is_published_at_one_node_reaches_viewers_at_another() {
    let bed = Bed::start(Backend::Redis, OPEN).await;
    let other = bed.beside(2).await;
    session(bed.setup(), &other.client).await;
    let (mut viewer, id) = viewer(bed.setup()).await;
    let answer = other.client.post("/v1/mesh/send", json!({"c": id, "d": "to you"})).await;
    assert_eq!(answer.body, json!({"E": null, "r": {"s": 1, "f": 0}}));
    assert_eq!(viewer.next_text().await.as_deref(), Some("to you"));
}

#[tokio::test]
async fn data_comes_as_text_or_bytes() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let (mut viewer, _) = viewer(bed.setup()).await;
    watch(&mut viewer, "1").await;
    let long = "\u{5f39}".repeat(65_536 / 3);
    publish(&bed.client, "1", &long).await;
    assert_eq!(viewer.next_message().await, Some(Message::text(long)));
    let call = json!({"c": "video:1", "d": "AP8=", "t": "binary"});
    assert_eq!(bed.client.post("/v1/mesh/publish", call).await.status, 200);
    assert_eq!(viewer.next_message().await, Some(Message::binary(vec![0, 255])));
}

#[tokio::test]
async fn a_message_can_be_sent_to_one_viewer_and_to_nobody_else() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let ((mut one, one_id), (mut other, _)) = (viewer(bed.setup()).await, viewer(bed.setup()).await);
    let id: Value = serde_json::from_str(&told(&mut one, r#"{"op":"id"}"#).await).unwrap();
    assert_eq!(id, json!({"result": true, "client_id": one_id}));
    assert!(one_id.parse::<u64>().unwrap() < 1 << 53);
    let (anchor, _) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    let mut native = Socket::open(&bed.url()).await;
    let hello = native.result("connect", json!({"token": anchor.token()})).await;
    native.follow(&room).await;
    let is_viewer = [(one_id, true), (hello["client"].as_str().unwrap().to_owned(), false)];
    for (id, is_viewer) in is_viewer {
        let answer = bed.client.post("/v1/mesh/send", json!({"c": id, "d": "to you"})).await;
        assert_eq!(answer.body["r"], json!({"s": 1, "f": 0}), "viewer: {is_viewer}");
    }
    assert_eq!(one.next_text().await.as_deref(), Some("to you"));
    native.say(&room, "first").await;
    assert_eq!(next_but_start(&mut native).await["pub"]["data"], "first", "only viewers are sent to");
    watch(&mut other, "1").await;
    publish(&bed.client, "1", "to all").await;
    assert_eq!(other.next_text().await.as_deref(), Some("to all"));
}

#[tokio::test]
async fn a_wrong_request_is_answered_and_what_is_no_json_ends_the_connection() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let (mut patient, _) = viewer(bed.setup()).await;
    for wrong in [
        "1",
        "[]",
        "{}",
        r#"{"op":"subscribe"}"#,
        r#"{"op":"subscribe","channel":null}"#,
        r#"{"op":"subscribe","channel":"video:1"}"#,
        r#"{"op":"subscribe","channel":"1@room"}"#,
        r#"{"op":"subscribe","channel":"1@2@video"}"#,
        r#"{"op":"unsubscribe","channel":"@video"}"#,
        r#"{"op":"publish","channel":"1@video"}"#,
    ] {
        let answer: Value = serde_json::from_str(&told(&mut patient, wrong).await).unwrap();
        assert_eq!(answer["code"], 1, "{wrong}");
        assert!(answer["msg"].as_str().is_some_and(|why| !why.is_empty()), "{wrong}: {answer}");
    }
    watch(&mut patient, "1").await;
    watch(&mut patient, "1").await;
    for (end, code) in [
        (Message::text("hello"), 3502),
        (Message::text(r#"{"op":1 "#), 3502),
        (Message::binary(vec![1]), 3502),
        (Message::text("1".repeat(20_000)), 1009),
    ] {
        let (mut viewer, _) = viewer(bed.setup()).await;
        viewer.send_message(end).await;
        assert_eq!(viewer.close_code().await, code);
    }
}

#[tokio::test]
async fn a_viewer_may_ask_so_much_and_follow_so_many() {
    let settings = "realtime: {mesh_auth: off, max_channels: 2, barrage_per_address: 1}";
    let bed = Bed::start(Backend::Embedded, settings).await;
    let (mut viewer, _) = viewer(bed.setup()).await;
    watch(&mut viewer, "1").await;
    watch(&mut viewer, "2").await;
    let refused = told(&mut viewer, r#"{"op":"subscribe","channel":"3@video"}"#).await;
    assert_eq!(refused, r#"{"code":1,"msg":"a connection may follow 2 channels"}"#);
    let Err(Error::Http(answer)) = Socket::try_open(&url(bed.setup())).await else {
        panic!("a second connection of one address")
    };
    assert_eq!(answer.status().as_u16(), 429);
    for _ in 0..1000 {
        viewer.send(r#"{"op":"id"}"#).await;
    }
    assert_eq!(viewer.close_code().await, 3503);
    wait_until("the address may come again", Duration::from_secs(10), async || {
        Socket::try_open(&url(bed.setup())).await.is_ok()
    })
    .await;
}

/// A peer that reads nothing is closed once 1 MiB waits for it, and nobody else notices.
#[tokio::test]
async fn who_does_not_read_is_closed_and_hurts_nobody() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let ((mut reader, _), (mut stalled, _)) = (viewer(bed.setup()).await, viewer(bed.setup()).await);
    for viewer in [&mut reader, &mut stalled] {
        watch(viewer, "1").await;
    }
    let large = "x".repeat(60_000);
    let mut said = 0;
    while bed.metric(r#"liveloom_realtime_closed_total{code="3008"}"#).await == 0 {
        // The system buffers a few MiB on both sides.
        assert!(said < 1000, "a stalled peer is not closed");
        for _ in 0..10 {
            publish(&bed.client, "1", &format!("{said} {large}")).await;
            let text = reader.next_text().await.expect("a message");
            assert!(text.starts_with(&format!("{said} ")));
            said += 1;
        }
    }
    assert_eq!(bed.metric(r#"liveloom_realtime_dropped_total{reason="slow"}"#).await, 1);
    publish(&bed.client, "1", "go on").await;
    assert_eq!(reader.next_text().await.as_deref(), Some("go on"));
    drop(stalled);
}

#[tokio::test]
async fn nothing_is_left_of_those_who_went() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let gauges = async || {
        (
            bed.metric(r#"liveloom_realtime_connections{endpoint="barrage"}"#).await,
            bed.metric("liveloom_realtime_subscriptions").await,
        )
    };
    for round in 0..3 {
        let mut viewers = Vec::new();
        for number in 0..20 {
            let (mut viewer, _) = viewer(bed.setup()).await;
            watch(&mut viewer, &format!("{round}-{number}")).await;
            watch(&mut viewer, "shared").await;
            viewers.push(viewer);
        }
        assert_eq!(gauges().await, (20, 40));
        let last = viewers.split_off(10);
        last.into_iter().for_each(Socket::cut);
        for viewer in viewers {
            viewer.close().await;
        }
        wait_until("all are gone", Duration::from_secs(20), async || gauges().await == (0, 0)).await;
    }
    wait_until("no video is heard any more", Duration::from_secs(30), async || {
        // The node's own channel stays.
        bed.metric("liveloom_realtime_channels").await == 1
    })
    .await;
}
