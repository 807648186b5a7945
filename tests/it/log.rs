//! What the log tells of requests that fail.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::env;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

fn errors(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("ERROR")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_of_outsiders_and_a_node_that_drains_are_no_errors(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
) {
    let own_keys = "account: {secret_key: 0123456789abcdef0123456789abcdef}";
    let mut server = Setup::new(backend).await.with("realtime: {drain_s: 2}").with(own_keys).start().await;
    let room = server.client_of("anchor").await.go_live("r").await;
    let heartbeat = format!("/client/live/room/heartbeat/{}", room["live_id"].as_str().unwrap());
    let outsider = server.client_of("outsider").await;
    assert_eq!(outsider.get(&heartbeat).await.status, 500);
    server.signal("TERM");
    let client = server.client();
    wait_until("it drains", SOON, async || client.get("/readyz").await.status == 503).await;
    assert!(server.ended(SOON).await.success());
    let log = server.log();
    assert!(log.contains("\"status\":500") && log.contains("\"status\":503"), "both are in the access log");
    assert_eq!(errors(&log), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_a_store_that_is_away_are_sampled() {
    let cache = ChaosProxy::start(env::redis()).await.unwrap();
    let setup = Setup::new(Backend::Redis).await.replacing(&env::redis(), &cache.addr());
    let server = setup.start().await;
    let anchor = server.client_of("anchor").await;
    let room = anchor.go_live("r").await;
    let live_id = room["live_id"].as_str().unwrap();
    let heartbeat = format!("/client/live/room/heartbeat/{live_id}");
    cache.set(Mode::Refuse);
    let begun = Instant::now();
    wait_until("the cache is away", SOON, async || anchor.get(&heartbeat).await.status == 503).await;
    for _ in 0..20 {
        let heartbeats = join_all((0..10).map(|_| anchor.get(&heartbeat))).await;
        assert!(heartbeats.iter().all(|answer| answer.status == 503), "{heartbeats:?}");
    }
    let log = server.log();
    let told = log.lines().filter(|line| line.contains("request failed")).count();
    // Five in each ten seconds, and one more at the edge of each.
    let windows = usize::try_from(begun.elapsed().as_secs() / 10).unwrap() + 2;
    assert!((1..=6 * windows).contains(&told), "{told} lines in {windows} windows");
    wait_until("the access log has them all", SOON, async || {
        server.log().matches("\"status\":503").count() > 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weak_secrets_are_told_loudly_until_they_are_mended() {
    let sample = "auth: {jwt_key: jwtkey, server: {enable: true, access_key: ak, secret_key: sk}}";
    let setup = Setup::new(Backend::Embedded).await.with(sample).with("hooks: {secret: 'short'}");
    setup.create_administrator("root", "a password of the tests");
    let server = setup.start().await;
    let login = json!({"user_name": "root", "password": "a password of the tests"});
    let overview = async || {
        let token = server.client().post("/manager/login", login.clone()).await.data();
        let client = server.client().with_token(token["access_token"].as_str().unwrap());
        client.get("/admin/overview").await.data()
    };
    let log = server.log();
    let weak = ["auth.jwt_key", "auth.server.access_key", "auth.server.secret_key", "hooks.secret"];
    for key in weak {
        let told = errors(&log).into_iter().filter(|line| line.contains(&format!(": {key}: "))).count();
        assert_eq!(told, 1, "{key}: {log}");
    }
    let mut seen: Vec<String> = serde_json::from_value(overview().await["weak_secrets"].clone()).unwrap();
    seen.retain(|key| key != "account.secret_key");
    assert_eq!(seen, weak);
    // A reload that mends them ends the banner.
    let mended = "auth: {jwt_key: 0123456789abcdef0123456789, server: {enable: true, access_key: own, \
                  secret_key: 0123456789abcdef0123456789}}\nhooks: {secret: 0123456789abcdef}\n";
    std::fs::write(server.config().with_file_name("overlay.yaml"), mended).unwrap();
    server.signal("HUP");
    wait_until("the banner is gone", SOON, async || {
        let seen: Vec<String> = serde_json::from_value(overview().await["weak_secrets"].clone()).unwrap();
        seen.iter().all(|key| key == "account.secret_key")
    })
    .await;
}
