//! Requests of which two readers could make different ones: they are refused, and nothing after them is read.

use super::wire::Wire;
use crate::support::server::{Backend, Setup};

/// What would be read as a request of its own if the one before ended early.
const HIDDEN: &str = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn an_ambiguous_request_is_refused_and_ends_the_connection() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    // Where a body is read.
    let user = server.client_of("u").await;
    let line = format!("PUT /client/user/user HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n", user.token());
    let post = |headers: &str, body: &str| format!("{line}{headers}\r\n{body}");
    let chunked =
        |size: &str| post("Transfer-Encoding: chunked\r\n", &format!("{size}\r\nhello\r\n0\r\n\r\n"));
    let ambiguous = [
        // Two lengths.
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
        post("Content-Length: 0\r\nContent-Length: 5\r\n", ""),
        post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
        post("Content-Length: 5, 5\r\n", "hello"),
        // Lengths that not everybody reads alike.
        post("Content-Length: +5\r\n", "hello"),
        post("Content-Length: -5\r\n", "hello"),
        post("Content-Length: 0x5\r\n", "hello"),
        post("Content-Length: 5 0\r\n", "hello"),
        post("Content-Length: 99999999999999999999\r\n", "hello"),
        // Encodings.
        post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        "POST /status HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        // Headers.
        post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        post("Content-Length : 5\r\n", "hello"),
        post("X: a\r\n Content-Length: 5\r\n", "hello"),
        post("Content-Length:\r\n 5\r\n", "hello"),
        post("X: a\0b\r\nContent-Length: 0\r\n", ""),
        post("X: a\rContent-Length: 5\r\n", "hello"),
        post("Host: y\r\nContent-Length: 0\r\n", ""),
        "GET /status HTTP/1.1\r\n\r\n".to_owned(),
        // Chunks.
        chunked("0x5"),
        chunked("+5"),
        chunked("-5"),
        chunked("5 5"),
        chunked("FFFFFFFFFFFFFFFFF5"),
        chunked("g"),
    ];
    for request in ambiguous {
        let mut wire = Wire::open(server.setup().port()).await;
        wire.send(format!("{request}{HIDDEN}")).await;
        let answer = wire.answer().await.unwrap_or_else(|| panic!("no answer to {request:?}"));
        assert_eq!(answer.status, 400, "{request:?}\n{}", answer.head);
        let rest = wire.end().await;
        assert!(rest.is_empty(), "{request:?} lets through {:?}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(server.client().get("/status").await.status, 200);
}
