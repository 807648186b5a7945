//! SIGHUP: a running server takes over what it can of a changed configuration.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::clock::SystemClock;
use config::{Current, Secret};
use liveloom::auth::{Claims, TokenKeys, TokenService};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::callback_receiver::{PLAIN_SECRET, SECRET};
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);
const FORMER: &str = "former-key-0123456789abcdefghijklmnop";
const NEW: &str = "new-key-0123456789abcdefghijklmnopqrst";

/// Writes another overlay and waits until the server has read it, so many times.
async fn reload(server: &ServerProcess, overlay: &str, times: usize) {
    fs::write(server.config().with_file_name("overlay.yaml"), overlay).unwrap();
    server.signal("HUP");
    wait_until("it is read", SOON, async || server.log().matches("SIGHUP").count() == times).await;
}

fn token(key: &str) -> String {
    let keys = Current::fixed(TokenKeys::new(&[Secret::new(key)]).unwrap());
    let claims = Claims::lasting("alice".to_owned(), Utc::now(), TimeDelta::hours(1));
    TokenService::new(keys, Arc::new(SystemClock)).issue(&claims).unwrap()
}

async fn status_of(server: &ServerProcess, key: &str) -> u16 {
    server.client().with_token(&token(key)).get("/client/user/profile").await.status
}

#[tokio::test]
async fn keys_of_tokens_are_rotated_without_a_restart() {
    let keys = |first: &str, second: &str| format!("auth: {{jwt_key: {first}, jwt_keys: [{second}]}}");
    let server = Setup::new(Backend::Embedded).await.with(&keys(FORMER, "")).start().await;
    server.client_of("alice").await;
    assert_eq!((status_of(&server, FORMER).await, status_of(&server, NEW).await), (200, 401));
    reload(&server, &keys(NEW, FORMER), 1).await;
    assert_eq!((status_of(&server, FORMER).await, status_of(&server, NEW).await), (200, 200));
    // What was verified before is not remembered beyond its key.
    reload(&server, &keys(NEW, ""), 2).await;
    assert_eq!((status_of(&server, FORMER).await, status_of(&server, NEW).await), (401, 200));
}

/// How many signatures each callback has that has come.
async fn signatures(receiver: &MockServer) -> Vec<usize> {
    let calls = receiver.received_requests().await.unwrap();
    let signatures = calls.iter().map(|call| call.headers["webhook-signature"].to_str().unwrap());
    signatures.map(|signatures| signatures.split(' ').count()).collect()
}

#[tokio::test]
async fn callbacks_are_signed_with_the_secrets_as_they_are() {
    let receiver = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"code": 0}));
    Mock::given(any()).respond_with(answer).mount(&receiver).await;
    let secrets = |list: &str| format!("callback: {{addr: '{}', secrets: [{list}]}}", receiver.uri());
    let server = Setup::new(Backend::Embedded).await.with(&secrets(&format!("'{SECRET}'"))).start().await;
    let anchor = server.client_of("anchor").await;
    anchor.go_live("one").await;
    wait_until("callbacks come", SOON, async || signatures(&receiver).await == [1, 1]).await;
    reload(&server, &secrets(&format!("'{SECRET}', '{PLAIN_SECRET}'")), 1).await;
    anchor.go_live("two").await;
    wait_until("more come", SOON, async || signatures(&receiver).await == [1, 1, 2, 2]).await;
}

#[tokio::test]
async fn the_log_tells_more_when_it_is_asked_to() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    server.client_of("alice").await;
    assert!(!server.log().contains("liveloom::sql"));
    reload(&server, "log: {filter: 'info,liveloom::sql=debug'}", 1).await;
    server.client_of("bob").await;
    wait_until("statements are told", SOON, async || server.log().contains("liveloom::sql")).await;
}

#[tokio::test]
async fn mistakes_change_nothing_and_other_changes_are_named() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    reload(&server, "auth: {jwt_keyy: x}\nlive: {viewer_timeout_s: many}", 1).await;
    let log = server.log();
    assert!(
        log.contains("jwt_keyy") && log.contains("viewer_timeout_s") && log.contains("former one stays"),
        "{log}"
    );
    server.client_of("alice").await;
    let hook = json!({"app": "live", "stream": "none"});
    assert_eq!(server.client().post("/hooks/publish_done", hook.clone()).await.status, 200);
    reload(&server, "live: {viewer_timeout_s: 30}\nhooks: {allow: [192.0.2.1], secret: abc}\n", 2).await;
    wait_until("it is told", SOON, async || server.log().contains("need a restart")).await;
    let log = server.log();
    let line = log.lines().find(|line| line.contains("need a restart")).unwrap();
    assert!(line.contains(r#""sections":"live""#), "{line}");
    assert_eq!(server.client().post("/hooks/publish_done", hook).await.status, 403);
}
