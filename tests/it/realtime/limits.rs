//! What nobody may do, and what is left of those who do it: nothing.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bed::{Bed, join};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::realtime::Socket;
use crate::support::server::Backend;
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn who_writes_too_much_is_told_when_to_go_on() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (anchor, mut socket) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    socket.follow(&room).await;
    let say = json!({"channel": room, "action": "x", "data": 1});
    let mut refused = json!(null);
    for _ in 0..30 {
        let answer = socket.ask("publish", say.clone()).await;
        if !answer["error"].is_null() {
            refused = answer["error"].clone();
            break;
        }
    }
    assert_eq!(refused["code"], 429);
    let wait = refused["retry_after_ms"].as_u64().unwrap();
    assert!((1..=200).contains(&wait), "{refused}");
    wait_until("one may write again", SOON, async || {
        socket.ask("publish", say.clone()).await["error"].is_null()
    })
    .await;
    let large = json!({"channel": room, "action": "x", "data": "x".repeat(4096)});
    assert_eq!(socket.refused("publish", large).await, 413);
    for action in ["", "two words", &"x".repeat(65)] {
        let params = json!({"channel": room, "action": action, "data": 1});
        assert_eq!(socket.refused("publish", params).await, 400, "{action}");
    }
}

#[tokio::test]
async fn who_reads_too_much_history_is_told_when_to_go_on() {
    let settings = "realtime: {publish_per_user_s: 0, publish_per_room_s: 0}";
    let bed = Bed::start(Backend::Embedded, settings).await;
    let (anchor, mut reader) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    let begin = reader.follow(&room).await;
    reader.result("unsubscribe", json!({"channel": room})).await;
    // As many as a connection may ask for at once, each.
    for _ in 0..4 {
        let mut speaker = Socket::log_in(&bed.url(), anchor.token()).await;
        for _ in 0..50 {
            let say = json!({"channel": room, "action": "x", "data": "x".repeat(4000)});
            speaker.result("publish", say).await;
        }
    }
    let ask = json!({"channel": room, "limit": 200});
    let (mut read, mut refused) = (0, json!(null));
    while refused.is_null() {
        let answer = reader.ask("history", ask.clone()).await;
        read += answer["result"].to_string().len();
        refused = answer["error"].clone();
        assert!(read < 12 * 1024 * 1024, "{read} bytes were read at once");
    }
    assert_eq!(refused["code"], 429, "{refused}");
    assert!(read > 4 * 1024 * 1024, "{read}");
    let wait = refused["retry_after_ms"].as_u64().unwrap();
    assert!((1..=8000).contains(&wait), "{refused}");
    // Who comes back waits for what they missed, and is not refused it.
    let back = json!({"channel": room, "epoch": begin["epoch"], "offset": begin["offset"]});
    let recovered = reader.result("subscribe", back).await;
    assert_eq!(recovered["recovered"], true);
    assert!(recovered["publications"].as_array().unwrap().len() >= 200);
    wait_until("one may read again", SOON, async || {
        reader.ask("history", ask.clone()).await["error"].is_null()
    })
    .await;
}

#[tokio::test]
async fn a_room_takes_so_many_messages_from_all_nodes() {
    let settings = "realtime: {publish_per_user_s: 0, publish_per_room_s: 3}";
    let here = Bed::start(Backend::Redis, settings).await;
    let there = here.beside(2).await;
    let (anchor, mut at_anchor) = here.user("anchor").await;
    let (live_id, room) = here.room(&anchor).await;
    let (viewer, mut at_viewer) = there.viewer("viewer", &live_id).await;
    let say = json!({"channel": room, "action": "x", "data": 1});
    let mut refused = 0;
    for _ in 0..8 {
        for socket in [&mut at_anchor, &mut at_viewer] {
            let answer = socket.ask("publish", say.clone()).await;
            if answer["error"]["code"] == 429 {
                assert!(answer["error"]["retry_after_ms"].as_u64().is_some_and(|ms| ms <= 1000), "{answer}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "16 messages passed");
    // Gifts, likes and administration are not held back.
    viewer.put(&format!("/client/live/room/{live_id}/like"), json!({"count": 1})).await.data();
    at_viewer.next_of("like_notify").await;
}

#[tokio::test]
async fn who_floods_is_closed() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (_, mut socket) = bed.user("u").await;
    let many = r#"{"id":1,"method":"ping"}"#.to_owned() + "\n";
    socket.send(&many.repeat(400)).await;
    assert_eq!(socket.close_code().await, 3503);
}

#[tokio::test]
async fn a_connection_follows_so_many_channels() {
    let bed = Bed::start(Backend::Embedded, "realtime: {max_channels: 1}").await;
    let (anchor, mut socket) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    socket.follow("user:anchor").await;
    assert_eq!(socket.refused("subscribe", json!({"channel": room})).await, 400);
    socket.result("unsubscribe", json!({"channel": "user:anchor"})).await;
    socket.follow(&room).await;
}

#[tokio::test]
async fn a_token_that_ends_closes_the_connection() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (_, mut lasting) = bed.user("u").await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let path = format!("/server/auth/token?app_id=tests&user_id=u&expires_at={}", now + 2);
    let short = bed.client.get(&path).await.data()["access_token"].as_str().unwrap().to_owned();
    let mut ends = Socket::log_in(&bed.url(), &short).await;
    let mut renewed = Socket::log_in(&bed.url(), &short).await;
    let fresh = bed.client.log_in("u").await.token().to_owned();
    renewed.result("refresh", json!({ "token": fresh })).await;
    assert_eq!(ends.close_code().await, 3005);
    renewed.result("ping", json!({})).await;
    lasting.result("ping", json!({})).await;
    let mut late = Socket::open(&format!("{}?token={short}", bed.url())).await;
    assert_eq!(late.close_code().await, 3005);
}

#[tokio::test]
async fn a_handshake_may_be_wrong_in_many_ways() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let port = bed.setup().port();
    let asked = async |head: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let count = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..count]).into_owned()
    };
    let upgrade = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (head, status) in [
        (format!("GET /realtime HTTP/1.1\r\n{upgrade}{key}\r\n"), "101"),
        (format!("GET /realtime HTTP/1.1\r\n{upgrade}Sec-WebSocket-Version: 13\r\n\r\n"), "400"),
        (format!("GET /realtime HTTP/1.1\r\n{upgrade}Sec-WebSocket-Key: x\r\n\r\n"), "400"),
        (format!("POST /realtime HTTP/1.1\r\n{upgrade}{key}\r\n"), "405"),
        (format!("GET /nowhere HTTP/1.1\r\n{upgrade}{key}\r\n"), "404"),
        ("GET /realtime HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "426"),
    ] {
        let answer = asked(&head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
}

/// Whoever came and went in whatever manner, in the end nothing is held for them, and no log has their
/// token.
#[tokio::test]
async fn nothing_is_left_of_those_who_went() {
    let bed = Bed::start(Backend::Embedded, "log: {filter: debug}").await;
    let (anchor, _) = bed.user("anchor").await;
    let (live_id, room) = bed.room(&anchor).await;
    let proxy = ChaosProxy::start(format!("127.0.0.1:{}", bed.setup().port())).await.unwrap();
    let url = format!("ws://{}/realtime", proxy.addr());
    let mut tokens = Vec::new();
    for round in 0..3 {
        let mut sockets = Vec::new();
        for number in 0..30 {
            let user = bed.client.log_in(&format!("u-{number}")).await;
            join(&user, &live_id).await;
            let mut socket = Socket::log_in(&url, user.token()).await;
            socket.follow(&room).await;
            socket.follow(&format!("user:u-{number}")).await;
            tokens.push(user.token().to_owned());
            sockets.push(socket);
        }
        // Some have not said yet who they are.
        for _ in 0..5 {
            sockets.push(Socket::open(&url).await);
        }
        assert_eq!(bed.metric(CONNECTIONS).await, 35);
        assert_eq!(bed.metric(SUBSCRIPTIONS).await, 60);
        match round {
            0 => sockets.into_iter().for_each(Socket::cut),
            1 => {
                for socket in sockets {
                    socket.close().await;
                }
            }
            _ => proxy.set(Mode::Reset),
        }
        wait_until("all are gone", SOON, async || {
            (bed.metric(CONNECTIONS).await, bed.metric(SUBSCRIPTIONS).await) == (0, 0)
        })
        .await;
    }
    wait_until("no channel is heard any more", SOON, async || {
        // The node's own stays.
        bed.metric("liveloom_realtime_channels").await == 1
    })
    .await;
    let log = bed.server.log();
    assert!(!log.is_empty());
    assert!(tokens.iter().all(|token| !log.contains(token)), "the log has a token");
}

const CONNECTIONS: &str = r#"liveloom_realtime_connections{endpoint="native"}"#;
const SUBSCRIPTIONS: &str = "liveloom_realtime_subscriptions";
