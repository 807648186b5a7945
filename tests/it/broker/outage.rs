//! A Redis that is away, silent, or restarted.

use std::time::{Duration, Instant};

use common::failure::{Failure, Kind};
use config::CacheConfig;
use store::broker::{Broker, Pace, Position, Published};

use super::bed::{Ear, KEEP, SOON, open, publish};
use crate::cache::backend::{config, eventually};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::redis::RedisServer;

const LIMIT: Duration = Duration::from_secs(2);

async fn open_node(addr: String) -> (Broker, Ear) {
    open(&CacheConfig::Node(config(vec![addr]))).await
}

async fn published_again(broker: &Broker, body: &str) -> Position {
    eventually("publishing goes on", SOON, async || {
        match broker.publish("c", body.as_bytes(), KEEP, Pace::default()).await {
            Ok(Published::At { position, nodes: 1.. }) => Some(position),
            _ => None,
        }
    })
    .await
}

async fn assert_unavailable(broker: &Broker) {
    let start = Instant::now();
    let (published, position, subscribed) = tokio::join!(
        broker.publish("c", b"x", KEEP, Pace::default()),
        broker.position("c", KEEP),
        broker.subscribe("new"),
    );
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    for error in [published.err(), position.err(), subscribed.err()] {
        assert_eq!(error.expect("it fails").kind(), Kind::Unavailable);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_redis_begins_a_new_epoch_though_it_kept_everything() {
    let server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (broker, mut ear) = open_node(server.addr()).await;
    broker.subscribe("c").await.unwrap();
    let (before, _) = publish(&broker, "c", "before").await;
    ear.body("before").await;
    server.kill();
    assert_unavailable(&broker).await;
    server.up();
    ear.interruption(&["c"]).await;
    let found = eventually("the other connection is there too", SOON, async || {
        broker.history("c", Some(before), 10).await.ok()
    })
    .await;
    assert!(found.position.epoch != before.epoch && !found.is_complete, "{found:?}");
    assert_eq!((found.position.offset, found.publications.len()), (0, 0));
    let after = published_again(&broker, "after").await;
    assert_eq!(after.epoch, found.position.epoch);
    ear.body("after").await;
    // What was given up during the outage is not subscribed to behind the caller's back.
    assert_eq!(publish(&broker, "new", "unheard").await.1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_holed_connection_is_replaced_and_the_gap_is_told() {
    let server = RedisServer::start(&[]);
    let proxy = ChaosProxy::start(server.addr()).await.unwrap();
    let mut over = config(vec![proxy.addr()]);
    let (broker, mut ear) = open(&CacheConfig::Node(over.clone())).await;
    over.addrs = vec![server.addr()];
    let (speaker, _hearing) = open(&CacheConfig::Node(over)).await;
    broker.subscribe("c").await.unwrap();
    let (before, _) = publish(&speaker, "c", "before").await;
    ear.body("before").await;

    let connections = proxy.connections();
    proxy.set(Mode::BlackHole);
    let start = Instant::now();
    publish(&speaker, "c", "missed").await;
    assert_unavailable(&broker).await;
    eventually("both connections are given up", SOON, async || {
        (proxy.connections() >= connections + 2).then_some(())
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    proxy.set(Mode::Pass);
    ear.interruption(&["c"]).await;
    let missed = broker.history("c", Some(before), 10).await.unwrap();
    assert!(missed.is_complete && missed.position.epoch == before.epoch, "{missed:?}");
    assert!(missed.publications.iter().any(|publication| publication.body == "missed"));
    publish(&speaker, "c", "after").await;
    ear.body("after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_may_be_opened_before_redis_is_there() {
    let server = RedisServer::start(&[]);
    server.kill();
    let start = Instant::now();
    let (broker, mut ear) = open_node(server.addr()).await;
    assert!(start.elapsed() < LIMIT);
    assert_unavailable(&broker).await;
    server.up();
    eventually("it can be subscribed", SOON, async || broker.subscribe("c").await.ok()).await;
    published_again(&broker, "heard").await;
    ear.body("heard").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_needed_for_hearing_too() {
    let server = RedisServer::start(&[]);
    server.run::<()>(&["CONFIG", "SET", "requirepass", "secret"]);
    let mut over = config(vec![server.addr()]);
    let (broker, _ear) = open(&CacheConfig::Node(over.clone())).await;
    assert!(broker.subscribe("c").await.is_err());
    over.password = config::Secret::new("secret");
    let (broker, mut ear) = open(&CacheConfig::Node(over)).await;
    broker.subscribe("c").await.unwrap();
    publish(&broker, "c", "heard").await;
    ear.body("heard").await;
}

#[tokio::test]
async fn a_prefix_with_a_brace_is_refused() {
    let mut over = config(vec!["127.0.0.1:1".to_owned()]);
    over.key_prefix = "a{b}".to_owned();
    let clock = std::sync::Arc::new(common::clock::SystemClock);
    assert!(Broker::connect(&CacheConfig::Node(over), clock).await.is_err());
}
