//! An upgrade that is asked for and not taken: the connection goes on, or its end is told.

use serde_json::json;

use super::wire::Wire;
use crate::support::server::{Backend, ServerProcess, Setup};

/// The header lines of those who ask: a proxy that sends the option with every request, the h2c of Java's client,
/// and others.
const ASKED: [&str; 6] = [
    "Connection: upgrade\r\n",
    "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n",
    "Connection: keep-alive, Upgrade\r\nUpgrade: TLS/1.2\r\n",
    "Connection: keep-alive\r\nConnection: upgrade\r\n",
    "connection:UPGRADE\r\nupgrade:\r\n",
    "Upgrade: foo/2\r\nConnection: upgrade\r\n",
];

/// Requests by their method and path, with a body or none, and what they are answered.
fn requests() -> Vec<(&'static str, String, u16)> {
    let room = json!({"title": "t"}).to_string();
    vec![
        ("GET /status", String::new(), 200),
        ("GET /client/user/profile", String::new(), 200),
        ("GET /client/app/config", String::new(), 200),
        ("POST /client/live/room/instance", room, 200),
        ("PUT /client/user/user", json!({"nick": "n"}).to_string(), 200),
        ("DELETE /client/live/room/user/none", String::new(), 404),
        ("GET /nowhere", String::new(), 404),
        ("PATCH /status", String::new(), 405),
        ("GET /realtime", String::new(), 426),
        ("POST /client/live/room/instance", "{".to_owned(), 400),
    ]
}

fn request(line: &str, asked: &str, token: &str, body: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{asked}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn server() -> (ServerProcess, u16, String) {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let (port, user) = (server.setup().port(), server.client_of("u").await);
    (server, port, user.token().to_owned())
}

#[tokio::test]
async fn a_connection_goes_on_after_an_upgrade_that_is_not_taken() {
    let (_server, port, token) = server().await;
    for asked in ASKED {
        let mut wire = Wire::open(port).await;
        for (line, body, status) in requests() {
            let request = request(line, asked, &token, &body);
            assert!(wire.send(&request).await, "{request}");
            let answer = wire.answer().await.unwrap_or_else(|| panic!("no answer to {request}"));
            assert_eq!(answer.status, status, "{request}\n{}", answer.head);
            // Of those who may, only a 426 names a protocol, and so the option.
            let options = if status == 426 { Some("upgrade") } else { None };
            assert_eq!(answer.header("connection"), options, "{request}\n{}", answer.head);
        }
    }
}

/// Where the wish comes in pieces, or the head is long, the end is told; the answer is there all the same.
#[tokio::test]
async fn the_end_of_a_connection_is_told() {
    let (_server, port, token) = server().await;
    let long = format!("X-Long: {}\r\nConnection: upgrade\r\n", "x".repeat(10_000));
    for (line, body, status) in requests() {
        let whole = request(line, "Connection: upgrade\r\n", &token, &body);
        let at = whole.find("Content-Length").unwrap();
        for pieces in [vec![&whole[..at], &whole[at..]], vec![request(line, &long, &token, &body).as_str()]] {
            let mut wire = Wire::open(port).await;
            for piece in pieces {
                assert!(wire.send(piece).await);
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            let answer = wire.answer().await.unwrap_or_else(|| panic!("no answer to {line}"));
            assert_eq!(answer.status, status, "{line}\n{}", answer.head);
            if let Some(options) = answer.header("connection").filter(|options| options.contains("close")) {
                assert!(["close", "close, upgrade"].contains(&options), "{line}\n{}", answer.head);
                assert_eq!(wire.end().await, b"", "{line}");
                continue;
            }
            // The pieces arrived as one.
            assert!(wire.send(request(line, "", &token, &body)).await);
            assert_eq!(wire.answer().await.map(|answer| answer.status), Some(status), "{line}");
        }
    }
}

/// A handshake that is refused ends its connection, and says so.
#[tokio::test]
async fn a_refused_handshake_tells_the_end() {
    let (_server, port, token) = server().await;
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let asked = format!("Connection: upgrade\r\nUpgrade: websocket\r\n{key}");
    for (line, asked, status) in [
        ("GET /client/user/profile", asked.as_str(), 404),
        ("GET /ws/v1", asked.as_str(), 101),
        ("POST /realtime", asked.as_str(), 405),
        ("GET /realtime", "Connection: upgrade\r\nUpgrade: websocket\r\n", 400),
    ] {
        let mut wire = Wire::open(port).await;
        wire.send(format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{asked}\r\n")).await;
        let answer = wire.answer().await.unwrap_or_else(|| panic!("no answer to {line}"));
        assert_eq!(answer.status, status, "{line}\n{}", answer.head);
        let options = if status == 101 { "upgrade" } else { "close" };
        assert_eq!(answer.header("connection"), Some(options), "{line}\n{}", answer.head);
        if status != 101 {
            assert_eq!(wire.end().await, b"", "{line}");
        }
    }
}

/// A handshake is one wherever its head is cut on the way.
#[tokio::test]
async fn a_handshake_may_come_in_pieces() {
    let (_server, port, _) = server().await;
    let head = "GET /barrage-videos HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // After each line, in the middle of each, and between the two bytes of each line's end.
    let ends: Vec<usize> = head.match_indices('\n').map(|(at, _)| at).collect();
    for at in ends.into_iter().flat_map(|end| [end - 5, end, end + 1]).filter(|at| *at < head.len()) {
        let mut wire = Wire::open(port).await;
        assert!(wire.send(&head[..at]).await);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(wire.send(&head[at..]).await);
        let answer = wire.answer().await.unwrap_or_else(|| panic!("no answer to a head cut at {at}"));
        assert_eq!(answer.status, 101, "cut at {at}: {}", answer.head);
    }
}
