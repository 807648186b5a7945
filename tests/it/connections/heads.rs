//! Heads and bodies that arrive slowly.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::wire::Wire;
use crate::support::server::{Backend, Setup};

const REQUEST: &str = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
/// Half of a head.
const HALF: &str = "GET /status HTTP/1.1\r\nHo";
/// Far more than a head may take, and less than an idle connection is kept.
const SOON: Duration = Duration::from_secs(50);

async fn asked(port: u16) -> Wire {
    let mut wire = Wire::open(port).await;
    assert!(wire.send(REQUEST).await);
    assert_eq!(wire.answer().await.expect("an answer").status, 200);
    wire
}

#[tokio::test]
async fn every_head_and_body_of_a_connection_has_its_time() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let port = server.setup().port();
    let first = async {
        let mut wire = Wire::open(port).await;
        wire.send(HALF).await;
        assert_eq!(wire.answer().await.expect("an answer").status, 408);
        assert_eq!(wire.end().await, b"");
    };
    let later = async {
        let mut wire = asked(port).await;
        wire.send(HALF).await;
        assert_eq!(wire.end().await, b"", "nothing is answered");
    };
    let trickling = async {
        let mut wire = asked(port).await;
        wire.send(HALF).await;
        while wire.send("x").await {
            sleep(Duration::from_millis(500)).await;
        }
    };
    let user = server.client_of("u").await;
    let body = async {
        let mut wire = asked(port).await;
        let head =
            format!("PUT /client/user/user HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n", user.token());
        wire.send(format!("{head}Content-Length: 20\r\n\r\n{{\"nick\"")).await;
        let status = wire.answer().await.expect("an answer").status;
        assert!([400, 408].contains(&status), "{status}");
        assert_eq!(wire.end().await, b"");
    };
    let idle = async {
        let mut wire = asked(port).await;
        sleep(Duration::from_secs(7)).await;
        wire.send(REQUEST).await;
        assert_eq!(wire.answer().await.expect("who asks nothing is kept").status, 200);
        // The time of this head is its own.
        wire.send(HALF).await;
        sleep(Duration::from_secs(1)).await;
        wire.send(&REQUEST[HALF.len()..]).await;
        assert_eq!(wire.answer().await.expect("in time").status, 200);
    };
    let all = async { tokio::join!(first, later, trickling, body, idle) };
    timeout(SOON, all).await.expect("what is slow ends");
}
