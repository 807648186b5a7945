//! How often and from where one may come, and what is told of it.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

use super::bed::Bed;
use crate::support::realtime::Socket;
use crate::support::server::{Backend, Setup};

const ENDPOINTS: [&str; 3] = ["/realtime", "/barrage-videos", "/ws/v1"];

fn url(bed: &Bed, endpoint: &str) -> String {
    format!("ws://127.0.0.1:{}{endpoint}", bed.setup().port())
}

/// The status of a refused handshake, and when to come again; None when it was not refused.
async fn refused(url: &str, address: &str) -> Option<(u16, Option<String>)> {
    match Socket::try_open_with(url, &[("x-forwarded-for", address)]).await {
        Ok((socket, _)) => {
            std::mem::forget(socket);
            None
        }
        Err(Error::Http(answer)) => {
            assert_eq!(answer.headers()["connection"], "close");
            assert!(!answer.headers()["x-reqid"].is_empty());
            let after = answer.headers().get("retry-after").map(|after| after.to_str().unwrap().to_owned());
            Some((answer.status().as_u16(), after))
        }
        Err(error) => panic!("{error}"),
    }
}

/// A server that trusts what a proxy on this machine says of addresses.
async fn behind_a_proxy(realtime: &str) -> Bed {
    let trusted = "httpq: {trusted_proxies: [127.0.0.1/32]}";
    Bed::of(Setup::new(Backend::Embedded).await.with(trusted).with(realtime)).await
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let settings = "realtime: {mesh_auth: off, connections_per_address: 2, barrage_per_address: 2}";
    let bed = behind_a_proxy(settings).await;
    for endpoint in ENDPOINTS {
        let (url, number) = (url(&bed, endpoint), ENDPOINTS.iter().position(|of| *of == endpoint).unwrap());
        let address = |host: u16| format!("2001:db8:{number}:1::{host:x}");
        assert_eq!(refused(&url, &address(1)).await, None);
        assert_eq!(refused(&url, &address(2)).await, None);
        // All of a /64 is one address.
        assert_eq!(refused(&url, &address(3)).await, Some((429, Some("1".to_owned()))), "{endpoint}");
        assert_eq!(refused(&url, &format!("2001:db8:{number}:2::1")).await, None, "{endpoint}");
    }
    assert_eq!(bed.metric(r#"qnlive_http_api_count{code="101",handler="/realtime",method="GET"}"#).await, 3);
    assert_eq!(bed.metric(r#"qnlive_http_api_count{code="429",handler="/realtime",method="GET"}"#).await, 1);
}

#[tokio::test]
async fn an_address_comes_so_often() {
    let bed = behind_a_proxy("realtime: {mesh_auth: off, handshakes_per_address_s: 2}").await;
    let url = url(&bed, "/barrage-videos");
    let mut refusals = 0;
    for host in 0..40_u16 {
        let is_refused = refused(&url, &format!("2001:db8:1:1::{host:x}")).await;
        refusals += u32::from(is_refused.is_some());
    }
    assert!(refusals > 20, "only {refusals} of 40 handshakes at once are refused");
    assert_eq!(refused(&url, "192.0.2.1").await, None, "others may come");
}

#[tokio::test]
async fn a_user_has_so_many_connections() {
    let bed = Bed::start(Backend::Embedded, "realtime: {connections_per_user: 2}").await;
    let (user, mut first) = bed.user("u").await;
    let second = Socket::log_in(&bed.url(), user.token()).await;
    for by_query in [true, false] {
        let mut third = if by_query {
            Socket::open(&format!("{}?token={}", bed.url(), user.token())).await
        } else {
            let mut third = Socket::open(&bed.url()).await;
            third.send(user.token()).await;
            third
        };
        assert_eq!(third.close_code().await, 3010);
    }
    first.result("ping", json!({})).await;
    let _other = bed.user("other").await;
    second.close().await;
    crate::support::wait::wait_until("one may come again", std::time::Duration::from_secs(30), async || {
        let mut next = Socket::open(&format!("{}?token={}", bed.url(), user.token())).await;
        next.next().await.is_some_and(|hello| hello["push"]["connected"].is_object())
    })
    .await;
}

/// Handshakes are in the metrics and in the access log, with what became of them and without a token.
#[tokio::test]
async fn handshakes_are_counted_and_logged() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let (user, _socket) = bed.user("u").await;
    let _viewer = Socket::open(&url(&bed, "/barrage-videos")).await;
    let nowhere = url(&bed, "/nowhere");
    let query = format!("{}?token={}", url(&bed, "/ws/v1"), user.token());
    // `/server` calls from this machine need no signature here.
    let _backend = Socket::open(&query).await;
    assert!(Socket::try_open(&nowhere).await.is_err());
    for (handler, code, count) in
        [("/realtime", 101, 1), ("/barrage-videos", 101, 1), ("/ws/v1", 101, 1), ("unmatched", 404, 1)]
    {
        let metric = format!(r#"qnlive_http_api_count{{code="{code}",handler="{handler}",method="GET"}}"#);
        assert_eq!(bed.metric(&metric).await, count, "{metric}");
    }
    let log = bed.server.log();
    for (path, status) in [("/realtime", 101), ("/barrage-videos", 101), ("/ws/v1", 101), ("/nowhere", 404)] {
        let is_there = log.lines().any(|line| {
            line.contains(r#""access""#)
                && line.contains(&format!(r#""path":"{path}""#))
                && line.contains(&format!(r#""status":{status}"#))
        });
        assert!(is_there, "{path} {status} is not in the log");
    }
    assert!(!log.contains(user.token()), "the log has a token");
}

/// The head and the body of a handshake that is refused.
async fn refusal(bed: &Bed, endpoint: &str) -> (String, Value) {
    let mut socket = TcpStream::connect(("127.0.0.1", bed.setup().port())).await.unwrap();
    let request = format!(
        "GET {endpoint} HTTP/1.1\r\nhost: h\r\nx-reqid: of-the-caller\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head.to_ascii_lowercase(),
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")),
    )
}

#[tokio::test]
async fn a_refusal_names_the_limit_and_the_request() {
    let settings = "realtime: {mesh_auth: off, connections_per_address: 1, barrage_per_address: 1}";
    let bed = Bed::of(Setup::new(Backend::Embedded).await.with(settings)).await;
    let limits = [
        "realtime.connections_per_address",
        "realtime.barrage_per_address",
        "realtime.connections_per_address",
    ];
    let mut held = Vec::new();
    for (endpoint, limit) in ENDPOINTS.into_iter().zip(limits) {
        // `/ws/v1` counts with `/realtime`.
        if endpoint != "/ws/v1" {
            held.push(Socket::try_open(&url(&bed, endpoint)).await.unwrap());
        }
        let (head, body) = refusal(&bed, endpoint).await;
        assert!(head.starts_with("http/1.1 429"), "{head}");
        assert!(head.contains("x-reqid: of-the-caller"), "{head}");
        assert_eq!(body["request_id"], "of-the-caller");
        assert!(body["message"].as_str().unwrap().contains(limit), "{endpoint}: {body}");
    }
}
