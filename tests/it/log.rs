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
    // Where it is, and not the password that goes there.
    wait_until("the log names the address", SOON, async || {
        server
            .log()
            .lines()
            .any(|line| line.contains("no connection to Redis") && line.contains(&cache.addr()))
    })
    .await;
    wait_until("the cache is away", SOON, async || anchor.get(&heartbeat).await.status == 503).await;
    for _ in 0..20 {
        let heartbeats = join_all((0..10).map(|_| anchor.get(&heartbeat))).await;
        assert!(heartbeats.iter().all(|answer| answer.status == 503), "{heartbeats:?}");
    }
    let log = server.log();
    // Five in each ten seconds, and one more at the edge of each.
    let windows = usize::try_from(begun.elapsed().as_secs() / 10).unwrap() + 2;
    for repeated in ["request failed", "no connection to Redis"] {
        let told = log.lines().filter(|line| line.contains(repeated)).count();
        assert!((1..=6 * windows).contains(&told), "{told} lines of {repeated:?} in {windows} windows");
    }
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
        assert_eq!(log.matches(&format!(": {key}: ")).count(), 1, "{key} is told once: {log}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_of_an_origin_that_is_not_named_is_told_of_once() {
    let named = "httpq: {cors_admin_origins: ['https://named.example']}";
    let server = Setup::new(Backend::Embedded).await.with(named).start().await;
    let preflight = async |origin: &str, path: &str| {
        let url = format!("http://127.0.0.1:{}{path}", server.setup().port());
        let call = reqwest::Client::new().request(reqwest::Method::OPTIONS, url).header("origin", origin);
        call.header("access-control-request-method", "POST").send().await.unwrap();
    };
    for _ in 0..5 {
        preflight("https://other.example", "/manager/login").await;
        preflight("https://other.example", "/admin/users").await;
        preflight("https://named.example", "/admin/users").await;
        preflight("https://app.example", "/client/live/room/instance").await;
    }
    for number in 0..200 {
        preflight(&format!("https://{number}.example"), "/admin/users").await;
    }
    preflight("https://last.example", "/nothing").await;
    let told = || {
        let log = server.log();
        log.lines()
            .filter(|line| line.contains("httpq.cors_admin_origins"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    wait_until("the log has them", SOON, async || told().len() >= 100).await;
    let told = told();
    assert_eq!(told.len(), 100, "bounded");
    assert_eq!(told.iter().filter(|line| line.contains("https://other.example")).count(), 1);
    assert!(
        told.iter().all(|line| line.contains("INFO") && !line.contains("https://named.example")),
        "{told:?}"
    );
    assert!(!told.iter().any(|line| line.contains("https://app.example")), "{told:?}");
}
