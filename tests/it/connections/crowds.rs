//! More connections of one address than it may have.

use super::wire::Wire;
use crate::support::server::{Backend, Setup};

const REQUEST: &str = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
const CROWD: [u8; 4] = [127, 0, 1, 1];
const LIMIT: usize = 20;

/// A connection that was asked on once, and is kept.
async fn asked(from: [u8; 4], port: u16) -> Wire {
    let mut wire = Wire::open_from(from, port).await;
    assert!(wire.send(REQUEST).await);
    assert_eq!(wire.answer().await.expect("an answer").status, 200);
    wire
}

#[tokio::test]
async fn an_idle_connection_of_a_crowd_is_closed_for_a_new_one_and_others_are_kept() {
    let limits = format!("limits: {{connections_per_address: {LIMIT}}}");
    let server = Setup::new(Backend::Embedded).await.with(&limits).start().await;
    let port = server.setup().port();
    let mut other = asked([127, 0, 1, 2], port).await;
    let mut crowd = Vec::new();
    for _ in 0..LIMIT {
        crowd.push(asked(CROWD, port).await);
    }
    let mut newest = asked(CROWD, port).await;
    assert_eq!(crowd.remove(0).end().await, b"", "the oldest makes room, and nothing is answered");
    for kept in crowd.iter_mut().chain([&mut newest, &mut other]) {
        assert!(kept.send(REQUEST).await);
        assert_eq!(kept.answer().await.expect("it is kept").status, 200);
    }
    // What stands before the server on this machine brings everybody.
    let mut proxy = Vec::new();
    for _ in 0..2 * LIMIT {
        proxy.push(asked([127, 0, 0, 1], port).await);
    }
    assert!(proxy[0].send(REQUEST).await);
    assert_eq!(proxy[0].answer().await.expect("it is kept").status, 200);
}

#[tokio::test]
async fn one_address_leaves_files_to_others_where_few_may_be_open() {
    let server = Setup::new(Backend::Embedded).await.after("ulimit -n 400").start().await;
    let port = server.setup().port();
    let mut crowd = Vec::new();
    for _ in 0..500 {
        crowd.push(Wire::open_from(CROWD, port).await);
    }
    asked([127, 0, 1, 2], port).await;
}
