//! Redis with TLS: a private authority, client certificates, and names. One node, and a cluster.

use std::process::Command;
use std::time::Duration;

use common::clock::SystemClock;
use config::{CacheConfig, RedisConfig};
use store::cache::Cache;

use super::backend::{Backend, Place, config, open};
use super::cases;
use crate::broker::bed::Bed;
use crate::broker::cases as broker_cases;
use crate::support::certificates::{Authority, Files, text};
use crate::support::redis::{RedisServer, free_port, wait_blocking};

/// A server with TLS beside its plain port, which the tests look after it by.
struct Secure {
    server: RedisServer,
    tls_port: u16,
}

impl Secure {
    /// Shows the certificate of `files`, and wants one of the authority.
    fn start(authority: &Authority, files: &Files, further: &[&str]) -> Self {
        let tls_port = free_port();
        let (port, ca) = (tls_port.to_string(), authority.file());
        let options = [
            "--tls-port",
            &port,
            "--tls-ca-cert-file",
            text(&ca),
            "--tls-cert-file",
            text(&files.cert),
            "--tls-key-file",
            text(&files.key),
            "--tls-auth-clients",
            "yes",
        ];
        Self { server: RedisServer::start(&[&options, further].concat()), tls_port }
    }

    fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.tls_port)
    }
}

fn secured(addrs: Vec<String>, authority: &Authority, client: &Files) -> RedisConfig {
    RedisConfig {
        tls: true,
        tls_ca: Some(authority.file()),
        tls_cert: Some(client.cert.clone()),
        tls_key: Some(client.key.clone()),
        ..config(addrs)
    }
}

/// Commands, scripts and announcements of the cache, and messages of the broker.
async fn all_of_it_works(config: CacheConfig) {
    let on = Backend::open(Place::of(config.clone())).await;
    on.cache.ping().await.expect("every server answers");
    cases::values_live_as_long_as_told(&on).await;
    cases::entering_leaving_and_the_states_of_rooms(&on).await;
    cases::announcements_reach_every_process(&on).await;
    broker_cases::all_hear_one_order_of_concurrent_publishers(Bed::over(Place::of(config)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_a_private_authority_and_client_certificates() {
    let authority = Authority::new();
    let (files, client) = (authority.issue("server", &["127.0.0.1"]), authority.issue("client", &["loom"]));
    let node = Secure::start(&authority, &files, &[]);
    all_of_it_works(CacheConfig::Node(secured(vec![node.addr()], &authority, &client))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_whose_certificates_are_good_for_a_name_that_no_node_is_reached_by() {
    let authority = Authority::new();
    let files = authority.issue("server", &["redis.internal"]);
    let client = authority.issue("client", &["loom"]);
    let further = [
        "--cluster-enabled",
        "yes",
        "--tls-cluster",
        "yes",
        "--tls-replication",
        "yes",
        "--cluster-node-timeout",
        "2000",
    ];
    let nodes: Vec<Secure> = (0..3).map(|_| Secure::start(&authority, &files, &further)).collect();
    let created = Command::new("redis-cli")
        .args([
            "--tls",
            "--cacert",
            text(&authority.file()),
            "--cert",
            text(&client.cert),
            "--key",
            text(&client.key),
        ])
        .args(["--cluster", "create"])
        .args(nodes.iter().map(Secure::addr))
        .arg("--cluster-yes")
        .output()
        .expect("redis-cli is installed");
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
    wait_blocking("the cluster is whole", Duration::from_secs(30), || {
        let whole =
            |node: &Secure| node.server.run::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        nodes.iter().all(whole)
    });
    let named = RedisConfig {
        tls_server_name: "redis.internal".to_owned(),
        ..secured(nodes.iter().map(Secure::addr).collect(), &authority, &client)
    };
    all_of_it_works(CacheConfig::Cluster(named)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_is_talked_to() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = authority.issue("server", &["redis.internal"]);
    let client = authority.issue("client", &["loom"]);
    let node = Secure::start(&authority, &files, &[]);
    let good = RedisConfig {
        tls_server_name: "redis.internal".to_owned(),
        ..secured(vec![node.addr()], &authority, &client)
    };
    open(&CacheConfig::Node(good.clone())).await.ping().await.expect("as it should be");
    let wrong = [
        ("another name", RedisConfig { tls_server_name: String::new(), ..good.clone() }),
        ("another authority", RedisConfig { tls_ca: Some(other.file()), ..good.clone() }),
        ("the public authorities", RedisConfig { tls_ca: None, ..good.clone() }),
        ("no certificate", RedisConfig { tls_cert: None, tls_key: None, ..good.clone() }),
    ];
    for (what, config) in wrong {
        assert!(open(&CacheConfig::Node(config)).await.ping().await.is_err(), "{what}");
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named() {
    let authority = Authority::new();
    let client = authority.issue("client", &["loom"]);
    let good = secured(vec!["127.0.0.1:1".to_owned()], &authority, &client);
    let wrong = [
        ("cache.tls_ca", RedisConfig { tls_ca: Some(client.key.clone()), ..good.clone() }),
        ("cache.tls_cert", RedisConfig { tls_cert: Some(client.key.clone()), ..good.clone() }),
        ("cache.tls_key", RedisConfig { tls_key: Some(client.cert.clone()), ..good.clone() }),
        ("cache.tls_server_name", RedisConfig { tls_server_name: "a b".to_owned(), ..good.clone() }),
    ];
    for (key, config) in wrong {
        let refused = Cache::connect(&CacheConfig::Node(config), std::sync::Arc::new(SystemClock)).await;
        let refused = refused.err().unwrap_or_else(|| panic!("{key} is taken")).to_string();
        assert!(refused.contains(key), "{refused}");
    }
}
