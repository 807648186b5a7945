//! CONNMIX's mesh API: who may publish, and where.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::bed::{Bed, next_but_start};
use crate::api::sign::{Signed, qiniu};
use crate::support::realtime::Socket;
use crate::support::server::Backend;

const OPEN: &str = "realtime: {mesh_auth: off}";
const CLOSED: &str = "auth: {server: {enable: true, access_key: ak, secret_key: sk}}";

fn socket_url(bed: &Bed) -> String {
    format!("ws://127.0.0.1:{}/ws/v1", bed.setup().port())
}

/// The value of `Authorization` of a request that a backend signs.
fn signature(bed: &Bed, method: &str, path: &str, body: Option<&Value>) -> String {
    let body = body.map(Value::to_string);
    let kind = [("Content-Type".to_owned(), "application/json".to_owned())];
    let signed = Signed {
        method,
        path: path.as_bytes(),
        query: None,
        host: &format!("127.0.0.1:{}", bed.setup().port()),
        headers: if body.is_some() { &kind } else { &[] },
        body: body.as_deref().map(str::as_bytes),
    };
    format!("Qiniu ak:{}", qiniu("sk", &signed.text()))
}

/// One who follows a video.
async fn viewer(bed: &Bed, video: &str) -> Socket {
    let mut viewer = Socket::open(&format!("ws://127.0.0.1:{}/barrage-videos", bed.setup().port())).await;
    viewer.send(&json!({"op": "subscribe", "channel": format!("{video}@video")}).to_string()).await;
    assert_eq!(viewer.next_text().await.as_deref(), Some(r#"{"result":true}"#));
    viewer
}

async fn asked(backend: &mut Socket, text: &str) -> Value {
    backend.send(text).await;
    backend.next().await.expect("an answer")
}

#[tokio::test]
async fn backends_publish_and_send_over_a_websocket() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let mut viewer = viewer(&bed, "1").await;
    let mut backend = Socket::open(&socket_url(&bed)).await;
    let publish = r#"{"m":"mesh.publish","p":{"c":"video:1","d":"hi"},"i":1}"#;
    assert_eq!(asked(&mut backend, publish).await, json!({"E": null, "r": {"s": 1, "f": 0}, "i": 1}));
    assert_eq!(viewer.next_text().await.as_deref(), Some("hi"));
    viewer.send(r#"{"op":"id"}"#).await;
    let id = viewer.next().await.unwrap()["client_id"].clone();
    let send = json!({"m": "mesh.send", "p": {"c": id, "d": "AP8=", "t": "binary"}, "id": -2});
    let sent = asked(&mut backend, &send.to_string()).await;
    assert_eq!(sent, json!({"E": null, "r": {"s": 1, "f": 0}, "i": -2}));
    assert_eq!(viewer.next_message().await, Some(Message::binary(vec![0, 255])));
    // Each byte of the data escaped: as long as a request can be.
    let long = format!(r#"{{"m":"mesh.publish","p":{{"c":"video:1","d":"{}"}}}}"#, "\\u0041".repeat(65_536));
    assert_eq!(asked(&mut backend, &long).await["r"]["s"], 1);
    assert_eq!(viewer.next_text().await, Some("A".repeat(65_536)));
    backend.send("ping").await;
    assert_eq!(backend.next_text().await.as_deref(), Some("pong"));
}

#[tokio::test]
async fn a_wrong_request_over_a_websocket_is_number_101() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let mut backend = Socket::open(&socket_url(&bed)).await;
    for (wrong, id) in [
        ("hello", Value::Null),
        ("[]", Value::Null),
        (r#"{"i":1}"#, Value::Null),
        (r#"{"m":"mesh.publish","i":2}"#, json!(2)),
        (r#"{"m":"queue.pop","p":{"t":["x"]},"i":3}"#, json!(3)),
        (r#"{"m":"mesh.publish","p":{"c":"user:u","d":"x"},"i":4}"#, json!(4)),
        (r#"{"m":"mesh.send","p":{"c":"x","d":"x"},"i":5}"#, json!(5)),
    ] {
        let answer = asked(&mut backend, wrong).await;
        assert_eq!((&answer["E"]["c"], &answer["i"]), (&json!(101), &id), "{wrong}: {answer}");
    }
    backend.send_message(Message::binary(vec![1])).await;
    assert_eq!(backend.close_code().await, 3502);
}

#[tokio::test]
async fn rooms_and_users_cannot_be_reached() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    at_anchor.follow(&room).await;
    at_anchor.follow("user:anchor").await;
    for forged in [&*room, "user:anchor", "node:1", "room:", "", "a b", "video:", &"x".repeat(257)] {
        let answer = bed.client.post("/v1/mesh/publish", json!({"c": forged, "d": "{}"})).await;
        assert_eq!((answer.status, &answer.body["E"]["c"]), (400, &json!(101)), "{forged:?}");
    }
    let other = bed.client.post("/v1/mesh/publish", json!({"c": "anything", "d": "{}"})).await;
    assert_eq!((other.status, other.body), (200, json!({"E": null, "r": {"s": 0, "f": 0}})));
    at_anchor.say(&room, "first").await;
    assert_eq!(next_but_start(&mut at_anchor).await["pub"]["data"], "first");
}

#[tokio::test]
async fn who_has_no_credentials_cannot_publish() {
    let bed = Bed::start(Backend::Embedded, CLOSED).await;
    let mut viewer = viewer(&bed, "1").await;
    let call = json!({"c": "video:1", "d": "hi"});
    for path in ["/v1/mesh/publish", "/v1/mesh/send"] {
        assert_eq!(bed.client.post(path, call.clone()).await.status, 401, "{path}");
        let of_other = signature(&bed, "POST", "/v1/mesh/other", Some(&call));
        assert_eq!(bed.client.with_token(&of_other).post(path, call.clone()).await.status, 401, "{path}");
    }
    let of_other = signature(&bed, "GET", "/realtime", None);
    for headers in [&[][..], &[("authorization", &*of_other)]] {
        let Err(Error::Http(answer)) = Socket::try_open_with(&socket_url(&bed), headers).await else {
            panic!("a connection without credentials")
        };
        assert_eq!(answer.status().as_u16(), 401);
    }
    let signed = bed.client.with_token(&signature(&bed, "POST", "/v1/mesh/publish", Some(&call)));
    assert_eq!(signed.post("/v1/mesh/publish", call).await.status, 200);
    assert_eq!(viewer.next_text().await.as_deref(), Some("hi"));
    let signature = signature(&bed, "GET", "/ws/v1", None);
    let opened = Socket::try_open_with(&socket_url(&bed), &[("authorization", &signature)]).await;
    let (mut backend, _) = opened.expect("a connection");
    let publish = r#"{"m":"mesh.publish","p":{"c":"video:1","d":"again"},"i":1}"#;
    assert_eq!(asked(&mut backend, publish).await["E"], Value::Null);
    assert_eq!(viewer.next_text().await.as_deref(), Some("again"));
}
