//! Redis going away, and coming back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use common::clock::SystemClock;
use common::failure::{Failure, Kind};
use config::CacheConfig;
use store::cache::{Announcement, Cache, CacheError, Enter, Silent};
use tokio::sync::broadcast::Receiver;

use super::backend::{config, eventually, members, open, open_node};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::redis::{RedisCluster, RedisServer};

const MINUTE: Duration = Duration::from_secs(60);
/// Within this, every call has answered, and an outage is over.
const LIMIT: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_secs(10);

fn enter<'a>(live_id: &'a str, user_id: &'a str) -> Enter<'a> {
    Enter { live_id, user_id, anchor_id: "anchor", ..Enter::default() }
}

/// Every kind of call fails, as unavailable, in time.
async fn assert_unavailable(cache: &Cache) {
    let start = Instant::now();
    let rooms = [("1", "a"), ("2", "a")];
    let (ping, get, heard, entered, states, watch, announced) = tokio::join!(
        cache.ping(),
        cache.get("key"),
        cache.heard("1", "a", false),
        cache.enter(enter("1", "a")),
        cache.room_states(&rooms),
        cache.begin_watch(),
        cache.announce("user", "1"),
    );
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    let errors =
        [ping.err(), get.err(), heard.err(), entered.err(), states.err(), watch.err(), announced.err()];
    for error in errors {
        let error: CacheError = error.expect("it fails");
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    }
}

async fn assert_back_in_time(cache: &Cache) {
    eventually("it is back", LIMIT, async || cache.ping().await.ok()).await;
    assert!(cache.heard("1", "a", false).await.is_ok());
}

async fn hears_resync(listener: &mut Receiver<Announcement>) {
    let resync = async { while listener.recv().await.unwrap() != Announcement::Resync {} };
    tokio::time::timeout(SOON, resync).await.expect("listeners are told to start anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_swallows_is_unavailable_until_it_answers() {
    let server = RedisServer::start(&[]);
    let proxy = ChaosProxy::start(server.addr()).await.unwrap();
    let cache = open_node(&proxy.addr()).await;
    let mut listener = cache.announcements();
    cache.enter(enter("1", "a")).await.unwrap();
    assert_eq!(cache.failed_at(), None);
    for _ in 0..2 {
        let before = Utc::now();
        proxy.set(Mode::Swallow);
        assert_unavailable(&cache).await;
        assert_unavailable(&cache).await;
        assert!(cache.failed_at().is_some_and(|failed| failed >= before - TimeDelta::milliseconds(1)));
        hears_resync(&mut listener).await;
        proxy.set(Mode::Pass);
        assert_back_in_time(&cache).await;
        hears_resync(&mut listener).await;
        eventually("announcements arrive", SOON, async || {
            cache.announce("user", "1").await.unwrap();
            (listener.recv().await.unwrap() != Announcement::Resync).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_resets_is_unavailable_until_it_answers() {
    let server = RedisServer::start(&[]);
    let proxy = ChaosProxy::start(server.addr()).await.unwrap();
    let cache = open_node(&proxy.addr()).await;
    let mut listener = cache.announcements();
    for _ in 0..2 {
        proxy.set(Mode::Reset);
        assert_unavailable(&cache).await;
        hears_resync(&mut listener).await;
        proxy.set(Mode::Pass);
        assert_back_in_time(&cache).await;
        hears_resync(&mut listener).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_may_be_opened_before_redis_is_there() {
    let server = RedisServer::start(&[]);
    server.kill();
    let start = Instant::now();
    let cache = open_node(&server.addr()).await;
    assert!(start.elapsed() < LIMIT);
    let mut listener = cache.announcements();
    assert_unavailable(&cache).await;
    server.up();
    assert_back_in_time(&cache).await;
    hears_resync(&mut listener).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_comes_back_empty_and_knows_it() {
    let server = RedisServer::start(&[]);
    let cache = open_node(&server.addr()).await;
    cache.enter(enter("1", "a")).await.unwrap();
    cache.begin_watch().await.unwrap();
    server.kill();
    assert_unavailable(&cache).await;
    server.up();
    assert_back_in_time(&cache).await;
    // The scripts are unknown to the new process, too.
    assert!(!cache.heard("1", "a", false).await.unwrap());
    assert_eq!(cache.remove_silent(0, Duration::from_millis(1), 10, false).await.unwrap(), Silent::Lost);
    cache.restore(&members("1", &["a"]), &[]).await.unwrap();
    assert!(cache.heard("1", "a", false).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_redis_is_lost_and_scripts_are_sent_again() {
    let server = RedisServer::start(&[]);
    let cache = open_node(&server.addr()).await;
    cache.begin_watch().await.unwrap();
    assert_eq!(cache.remove_silent(0, MINUTE, 10, false).await.unwrap(), Silent::Waiting);
    server.run::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(cache.remove_silent(0, MINUTE, 10, false).await.unwrap(), Silent::Waiting);
    server.run::<()>(&["SCRIPT", "FLUSH"]);
    // Several in one pipeline, none of them known.
    let rooms: Vec<String> = (0..50).map(|room| room.to_string()).collect();
    let rooms: Vec<(&str, &str)> = rooms.iter().map(|room| (room.as_str(), "a")).collect();
    assert_eq!(cache.room_states(&rooms).await.unwrap().len(), 50);
    server.run::<()>(&["FLUSHALL"]);
    assert_eq!(cache.remove_silent(0, MINUTE, 10, false).await.unwrap(), Silent::Lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_loses_no_heartbeats_of_those_who_wait() {
    let server = RedisServer::start(&[]);
    let cache = open_node(&server.addr()).await;
    cache.enter(enter("1", "a")).await.unwrap();
    server.freeze();
    let (answer, ()) = tokio::join!(cache.heard("1", "a", false), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.thaw();
    });
    assert!(answer.unwrap(), "it was only slow");
    server.freeze();
    assert_unavailable(&cache).await;
    server.thaw();
    assert_back_in_time(&cache).await;
}

#[tokio::test]
async fn a_password_is_sent_and_encryption_is_asked_for() {
    let server = RedisServer::start(&[]);
    server.run::<()>(&["ACL", "SETUSER", "loom", "on", ">secret", "~*", "&*", "+@all"]);
    server.run::<()>(&["CONFIG", "SET", "requirepass", "other"]);
    let open = async |username: &str, password: &str, tls| {
        let config = config::RedisConfig {
            username: username.to_owned(),
            password: config::Secret::new(password),
            tls,
            ..super::backend::config(vec![server.addr()])
        };
        Cache::connect(&config::CacheConfig::Node(config), Arc::new(SystemClock)).await
    };
    open("loom", "secret", false).await.unwrap().ping().await.unwrap();
    open("", "other", false).await.unwrap().ping().await.unwrap();
    let encrypted = open("loom", "secret", true).await.unwrap();
    assert_eq!(encrypted.ping().await.unwrap_err().kind(), Kind::Unavailable);
    for (username, password) in [("loom", "wrong"), ("", "")] {
        let error = open(username, password, false).await.err().expect("it is told at once").to_string();
        assert!(error.contains("cache.password") && !error.contains("wrong"), "{error}");
    }
}

/// Of a cluster one master is enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_without_memory_takes_no_writes_and_the_cache_says_so() {
    let cluster = RedisCluster::start();
    let cache = open(&CacheConfig::Cluster(config(cluster.addrs()))).await;
    eventually("all masters take writes", SOON, async || cache.try_write().await.ok()).await;
    assert!(cache.is_up());
    let master = cluster.master_of("whichever", 0);
    master.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = cache.try_write().await.unwrap_err();
    assert!(matches!(refused, CacheError::Refused(_)), "{refused}");
    assert!(cache.ping().await.is_ok() && !cache.is_up(), "it answers all the same");
    master.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    cache.try_write().await.unwrap();
    assert!(cache.is_up());
}

#[tokio::test]
async fn encryption_begins_with_a_tls_handshake() {
    use tokio::io::AsyncReadExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config::RedisConfig {
        tls: true,
        ..super::backend::config(vec![listener.local_addr().unwrap().to_string()])
    };
    let opening = tokio::spawn(async move { super::backend::open(&config::CacheConfig::Node(config)).await });
    let (mut client, _) = listener.accept().await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), 0x16, "the record type of a handshake");
    drop((client, listener));
    assert!(opening.await.unwrap().ping().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_cache_leaves_no_connection() {
    let server = RedisServer::start(&[]);
    let clients = || server.run::<String>(&["CLIENT", "LIST"]).lines().count();
    let cache = open_node(&server.addr()).await;
    assert!(cache.heard("1", "a", false).await.is_ok());
    assert_eq!(clients(), 3, "commands, announcements, and the test's own");
    drop(cache);
    eventually("all are closed", SOON, async || (clients() == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_became_a_replica_is_left() {
    let (old, new) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let proxy = ChaosProxy::start(old.addr()).await.unwrap();
    let cache = open_node(&proxy.addr()).await;
    cache.enter(enter("1", "a")).await.unwrap();
    old.run::<()>(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
    // From now on the name leads to the new one, as with a virtual address.
    proxy.lead_to(new.addr());
    eventually("the new one is used", LIMIT, async || cache.enter(enter("1", "b")).await.ok()).await;
    let member: Vec<String> = new.run(&["KEYS", "*:seen"]);
    assert_eq!(member.len(), 1);
}
