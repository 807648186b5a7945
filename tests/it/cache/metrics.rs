//! What the cache tells of its calls of Redis.

use std::time::Duration;

use prometheus::Registry;
use store::cache::Cache;

use super::backend::{Backend, Place, eventually, open, open_node};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::env;
use crate::support::metrics::told;

const SOON: Duration = Duration::from_secs(20);

fn registry_of(cache: &Cache) -> Registry {
    let registry = Registry::new();
    cache.register(&registry).unwrap();
    registry
}

fn of(registry: &Registry, name: &str, labels: &[(&str, &str)]) -> f64 {
    told(registry, &format!("liveloom_redis_{name}"), labels).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_timed_by_what_they_are_about_and_failures_counted_by_how() {
    let proxy = ChaosProxy::start(env::redis()).await.unwrap();
    let cache = open_node(&proxy.addr()).await;
    let registry = registry_of(&cache);
    let calls = |purpose| of(&registry, "call_seconds_count", &[("user", "cache"), ("purpose", purpose)]);
    let opened = calls("values");
    let failures = |kind| of(&registry, "failures_total", &[("user", "cache"), ("kind", kind)]);
    cache.set("a", "b", SOON).await.unwrap();
    cache.get("a").await.unwrap();
    cache.heard("live", "user", false).await.unwrap();
    cache.count_seen().await.unwrap();
    cache.liked_rooms().await.unwrap();
    let expected = [opened + 2.0, 2.0, 1.0, 0.0];
    assert_eq!(["values", "presence", "likes", "messages"].map(calls), expected);
    assert_eq!(["unreachable", "deadline", "refused", "unexpected"].map(failures), [0.0; 4]);
    assert!(of(&registry, "call_seconds_sum", &[]) > 0.0);
    assert!(cache.is_up());
    assert_eq!(of(&registry, "connections", &[("state", "up")]), 1.0);

    proxy.set(Mode::Swallow);
    cache.get("a").await.unwrap_err();
    assert_eq!((failures("deadline"), failures("refused")), (1.0, 0.0));
    proxy.set(Mode::Reset);
    eventually("the connection is missed", SOON, async || {
        cache.get("a").await.unwrap_err();
        (!cache.is_up() && failures("unreachable") > 0.0).then_some(())
    })
    .await;
    assert_eq!(of(&registry, "connections", &[("state", "down")]), 1.0);
    proxy.set(Mode::Pass);
    eventually("it is there again", SOON, async || cache.is_up().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_has_a_connection_to_each_master() {
    let cache = open(&Place::cluster().config).await;
    let registry = registry_of(&cache);
    eventually("all masters are reached", SOON, async || cache.is_up().then_some(())).await;
    assert_eq!(of(&registry, "connections", &[("state", "up")]), 3.0);
    cache.count_seen().await.unwrap();
    assert_eq!(of(&registry, "call_seconds_count", &[("purpose", "presence")]), 64.0, "each shard is a call");
}

#[tokio::test]
async fn memory_calls_nobody_and_is_there() {
    let cache = Backend::memory().await.cache;
    assert!(cache.is_up());
    assert!(registry_of(&cache).gather().is_empty());
}
