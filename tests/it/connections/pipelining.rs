//! Requests that are sent before answers are read.

use super::wire::Wire;
use crate::support::server::{Backend, Setup};

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
