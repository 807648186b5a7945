//! The native protocol: who is let in, what is answered, what is refused.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::bed::Bed;
use crate::support::realtime::Socket;
use crate::support::server::Backend;

#[tokio::test]
async fn two_users_chat_in_a_room() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let (live_id, room) = bed.room(&anchor).await;
    let place = at_anchor.follow(&room).await;
    assert_eq!(place["channel"], room);
    let (_, mut at_viewer) = bed.viewer("viewer", &live_id).await;
    let offset = at_viewer.say(&room, "hello").await;
    for socket in [&mut at_anchor, &mut at_viewer] {
        let push = socket.next_of("liveroom-pubchat").await;
        assert_eq!((&push["channel"], &push["offset"]), (&json!(room), &json!(offset)));
        assert_eq!((&push["pub"]["from"], &push["pub"]["data"]), (&json!("viewer"), &json!("hello")));
        assert!(push["pub"]["ts"].as_i64().unwrap() > 1_700_000_000_000);
    }
}

#[tokio::test]
async fn what_is_passed_on_unread_goes_on_as_it_came() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let (live_id, room) = bed.room(&anchor).await;
    let (_, mut at_viewer) = bed.viewer("viewer", &live_id).await;
    at_viewer.follow(&room).await;
    at_anchor.follow(&room).await;
    let data = r#"{"text":"cut \ud83d","huge":1e999,"long":123456789012345678901234567890}"#;
    let params = format!(r#"{{"channel":"{room}","action":"x","data":{data}}}"#);
    at_anchor.send(&format!("\u{feff}{{\"id\":9,\"method\":\"publish\",\"params\":{params}}}")).await;
    let answer = at_anchor.next_text().await.expect("an answer");
    assert!(answer.contains("\"id\":9") && answer.contains("offset"), "{answer}");
    let pushed = loop {
        let text = at_viewer.next_text().await.expect("a push");
        if text.contains("1e999") {
            break text;
        }
    };
    assert!(pushed.contains(data), "{pushed}");
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let params = format!(r#"{{"channel":"{room}","action":"x","data":{deep}}}"#);
    at_anchor.send(&format!(r#"{{"id":10,"method":"publish","params":{params}}}"#)).await;
    let refused = loop {
        let text = at_anchor.next_text().await.expect("an answer");
        if text.contains("\"id\":10") {
            break text;
        }
    };
    assert!(refused.contains("params.data: is nested more than 128 deep"), "{refused}");
}

#[tokio::test]
async fn a_token_comes_in_the_query_or_first() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let token = bed.client.log_in("u").await.token().to_owned();
    let mut bare = Socket::open(&bed.url()).await;
    bare.send(&token).await;
    assert_eq!(bare.next_push().await["connected"]["user_id"], "u");
    let mut asked = Socket::open(&bed.url()).await;
    let hello = asked.result("connect", json!({ "token": token })).await;
    assert_eq!((&hello["user_id"], &hello["ping_s"]), (&json!("u"), &json!(25)));
    assert_eq!(asked.result("refresh", json!({ "token": token })).await["expires_at"], hello["expires_at"]);
    let other = bed.client.log_in("other").await;
    assert_eq!(asked.refused("refresh", json!({"token": other.token()})).await, 403);
    for first in ["nonsense", r#"{"id":1,"method":"connect","params":{"token":"x"}}"#] {
        let mut socket = Socket::open(&bed.url()).await;
        socket.send(first).await;
        assert_eq!(socket.close_code().await, 3500, "{first}");
    }
    let mut forged = Socket::open(&format!("{}?token=x", bed.url())).await;
    assert_eq!(forged.close_code().await, 3500);
    let mut early = Socket::open(&bed.url()).await;
    early.send(r#"{"id":1,"method":"ping"}"#).await;
    assert_eq!(early.close_code().await, 3502);
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_in_the_end_closed() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (_, mut socket) = bed.user("u").await;
    assert_eq!(socket.refused("nothing", json!({})).await, 400);
    assert_eq!(socket.refused("subscribe", json!({})).await, 400);
    assert_eq!(socket.refused("subscribe", json!({"channel": "nothing"})).await, 400);
    assert_eq!(socket.refused("subscribe", json!({"channel": "video:1"})).await, 404);
    assert_eq!(socket.refused("subscribe", json!({"channel": "node:1"})).await, 400);
    assert_eq!(socket.refused("subscribe", json!({"channel": "room:1"})).await, 404);
    assert_eq!(socket.refused("subscribe", json!({"channel": "user:other"})).await, 403);
    assert_eq!(socket.result("ping", json!(null)).await, json!({}));
    for (message, code) in [
        (Message::binary(vec![1, 2]), 3502),
        (Message::text("no json"), 3502),
        (Message::text("x".repeat(20_000)), 1009),
    ] {
        let (_, mut socket) = bed.user("u").await;
        socket.send_message(message).await;
        assert_eq!(socket.close_code().await, code);
    }
    let (_, mut socket) = bed.user("u").await;
    for _ in 0..10 {
        socket.send("[]").await;
    }
    assert_eq!(socket.close_code().await, 3502);
}
