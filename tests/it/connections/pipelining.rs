//! Requests that are sent before answers are read.

use std::time::Duration;

use futures_util::future::join_all;

use super::wire::Wire;
use crate::support::memory::memory_of;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

/// Small, and answered by hundreds of KiB.
const REQUEST: &[u8] = b"GET /openapi.json HTTP/1.1\r\nHost:x\r\n\r\n";
const PEERS: usize = 20;
const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test]
async fn all_are_answered_in_order() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let user = server.client_of("u").await;
    let mut requests = Vec::new();
    for number in 0..500 {
        let body = format!(r#"{{"nick":"n{number}"}}"#);
        let head = format!("Host: x\r\nAuthorization: {}\r\n", user.token());
        let length = body.len();
        let put = format!("PUT /client/user/user HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}");
        let get = format!("GET /client/user/profile HTTP/1.1\r\n{head}\r\n");
        requests.extend_from_slice(put.as_bytes());
        requests.extend_from_slice(get.as_bytes());
    }
    let answers = Wire::open(server.setup().port()).await.exchange(&requests, 1000).await;
    for (number, pair) in answers.chunks(2).enumerate() {
        assert_eq!((pair[0].status, pair[1].status), (200, 200), "{number}");
        let profile: serde_json::Value = serde_json::from_slice(&pair[1].body).unwrap();
        assert_eq!(profile["data"]["nick"], format!("n{number}"));
    }
}

/// Peers that ask on and on and read nothing cost little, and are let go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_no_answers_costs_little_and_is_let_go() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let port = server.setup().port();
    let before = memory_of(server.pid());
    let requests = REQUEST.repeat(4 * MEBIBYTE / REQUEST.len());
    let peers = (0..PEERS).map(async |_| {
        let mut wire = Wire::open_small(port).await;
        let taken = wire.send_what_is_taken(&requests).await;
        assert!(taken < requests.len(), "the server reads on");
        wire
    });
    let peers = join_all(peers).await;
    let grown = memory_of(server.pid()).peak.saturating_sub(before.resident);
    assert!(grown < 64 * MEBIBYTE, "{PEERS} peers cost {} MiB", grown / MEBIBYTE);
    assert_eq!(server.client().get("/status").await.status, 200, "others are served");
    wait_until("peers that do not read are let go", Duration::from_secs(90), async || {
        peers.iter().all(Wire::is_reset)
    })
    .await;
}
