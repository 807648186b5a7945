//! A server that starts: what it waits for, what it refuses at once, and what it asks of the system.

use std::fs;
use std::time::{Duration, Instant};

use sea_orm::{ActiveModelTrait, IntoActiveModel};
use store::entity::node_registry;

use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::env;
use crate::support::redis::RedisServer;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);
/// For how long a start waits for a database at most (`store/db/connect.rs`).
const PATIENCE: Duration = Duration::from_secs(5);

/// SIGTERM ends it at once and well: it heard of it, and need not be killed.
async fn assert_ends_at_once(server: &mut ServerProcess) {
    let asked = Instant::now();
    let status = server.terminate(SOON).await;
    assert_eq!(status.code(), Some(0), "{status}: {}", server.log());
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_for_its_database_ends_at_once_when_it_is_asked_to() {
    let setup = Setup::new(Backend::Redis).await;
    let port = setup.database_port();
    let database = ChaosProxy::start(format!("127.0.0.1:{port}")).await.unwrap();
    database.set(Mode::BlackHole);
    let mut server =
        setup.replacing(&format!("port: {port},"), &format!("port: {},", database.port())).prepare();
    server.spawn();
    wait_until("it asks for the database", SOON, async || database.connections() > 0).await;
    assert_ends_at_once(&mut server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_for_a_registration_ends_at_once_when_it_is_asked_to() {
    let setup = Setup::new(Backend::Redis).await;
    let db = setup.database().migrated().await;
    let now_ms = db.now_ms(db.writer()).await.unwrap();
    let elsewhere = node_registry::Model {
        node_id: 1,
        owner: "elsewhere/boot/namespace/1/1/0".to_owned(),
        lease_until_ms: now_ms + 3_600_000,
        id_high_water_ms: now_ms,
        cache_failed_ms: 0,
        version: "0".to_owned(),
        updated_ms: now_ms,
        has_callbacks: false,
        report: None,
    };
    elsewhere.into_active_model().reset_all().insert(db.writer()).await.unwrap();
    db.close().await;
    let mut server = setup.prepare();
    server.spawn();
    wait_until("it waits", SOON, async || server.log().contains("waiting for a registration")).await;
    assert_ends_at_once(&mut server).await;
}

/// One line that names the setting and the server, and no secret; exit code 1.
async fn assert_refuses(setup: Setup, told: &[&str]) {
    let mut server = setup.prepare();
    server.spawn();
    let status = server.ended(SOON).await;
    let log = server.log();
    assert_eq!(status.code(), Some(1), "{log}");
    let last = log.lines().last().unwrap_or_default();
    for text in told {
        assert!(last.contains(text), "{text} in {last}");
    }
    assert!(!log.contains("not-the-password"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_of_redis_is_told_at_the_start() {
    let redis = RedisServer::start(&[]);
    redis.run::<()>(&["CONFIG", "SET", "requirepass", "the-password"]);
    let addr = redis.addr();
    let with = async |password: &str| {
        let setup = Setup::new(Backend::Redis).await.replacing(&env::redis(), &addr);
        setup.with(&format!("cache: {{password: '{password}'}}"))
    };
    assert_refuses(with("not-the-password").await, &["cache.password", &addr, "WRONGPASS"]).await;
    assert_refuses(with("").await, &["cache.password", &addr, "NOAUTH"]).await;
    let cluster =
        format!("cache: {{type: cluster, addr: '', addrs: ['{addr}'], password: not-the-password}}");
    let cluster = Setup::new(Backend::Redis).await.with(&cluster);
    assert_refuses(cluster, &["cache.password", &addr, "WRONGPASS"]).await;
    with("the-password").await.start().await;
    let open = RedisServer::start(&[]);
    let unasked = Setup::new(Backend::Redis).await.replacing(&env::redis(), &open.addr());
    let unasked = unasked.with("cache: {password: not-the-password}");
    assert_refuses(unasked, &["cache.password", &open.addr(), "without any password configured"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_of_the_database_is_told_at_the_start() {
    let setup = Setup::new(Backend::Redis).await;
    let entry = setup.database().entry().unwrap();
    let password = |password: &str| format!("password: '{password}'");
    let setup = setup.replacing(&password(entry.password.expose()), &password("not-the-password"));
    let place = format!("{}:{}", entry.host, entry.port);
    assert_refuses(setup, &["mysql.databases", &place, "Access denied"]).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let setup = Setup::new(Backend::Embedded).await.after("ulimit -S -n 400 && ulimit -H -n 1500");
    let server = setup.start().await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> =
        files.split_ascii_whitespace().filter(|word| word.parse::<u64>().is_ok()).collect();
    assert_eq!(numbers, ["1500", "1500"], "{files}");
    let log = server.log();
    let told = log.lines().find(|line| line.contains("open files")).unwrap_or_else(|| panic!("{log}"));
    assert!(told.contains("1500") && told.contains("400"), "{told}");
}
