//! `/readyz`: not only whether the stores answer, but whether they take what the node writes.

use std::time::Duration;

use serde_json::json;
use testbed::{Folder, MariaDb, free_address, install};

use crate::support::client::Client;
use crate::support::database::{Server, TestDatabase};
use crate::support::env;
use crate::support::redis::RedisServer;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

/// How soon a node has noticed. A broker may be away for 5 s.
const SOON: Duration = Duration::from_secs(30);

async fn until_not_ready(client: &Client, told: &str) {
    wait_until(&format!("the node is not ready: {told}"), SOON, async || {
        let ready = client.get("/readyz").await;
        ready.status == 503 && ready.body["message"].as_str().is_some_and(|text| text.contains(told))
    })
    .await;
    assert_eq!(client.get("/healthz").await.status, 200, "it need not be started again");
}

async fn until_ready(client: &Client) {
    wait_until("the node is ready", SOON, async || client.get("/readyz").await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_not_ready_while_its_database_is_read_only() {
    let folder = Folder::temporary("liveloom-read-only-").unwrap();
    install("mariadb", folder.path()).await.unwrap();
    let mariadb =
        MariaDb::new("mariadb", folder.path(), free_address().unwrap(), "loom", &["--skip-log-bin"]);
    mariadb.daemon.start().await.unwrap();
    mariadb.create_account().await.unwrap();
    let word = mariadb.account().to_owned();
    let (host, port) = ("127.0.0.1".to_owned(), mariadb.addr.port());
    let server = Server { host, port, user: word.clone(), password: word.clone() };
    let server = Setup::over(Backend::Redis, TestDatabase::existing(server, word)).start().await;
    let (client, anchor) = (server.client(), server.client_of("anchor").await);
    anchor.go_live("before").await;

    mariadb.execute("SET GLOBAL read_only = 1").await.unwrap();
    until_not_ready(&client, "not writable: database").await;
    let refused = anchor.post("/client/live/room/instance", json!({"title": "meanwhile"})).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(anchor.get("/client/live/room/list").await.data()["list"].is_array(), "reading goes on");

    mariadb.execute("SET GLOBAL read_only = 0").await.unwrap();
    until_ready(&client).await;
    anchor.go_live("after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_not_ready_while_its_redis_has_no_memory_left() {
    let redis = RedisServer::start(&["--maxmemory-policy", "noeviction"]);
    let server = Setup::new(Backend::Redis).await.replacing(&env::redis(), &redis.addr()).start().await;
    let client = server.client();
    redis.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    until_not_ready(&client, "not writable: cache").await;
    redis.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    until_ready(&client).await;
}

/// The cache works, but what other nodes publish does not arrive, nor can this one publish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_not_ready_while_its_broker_is_away_for_a_while() {
    let redis = RedisServer::start(&[]);
    let server = Setup::new(Backend::Redis).await.replacing(&env::redis(), &redis.addr()).start().await;
    let client = server.client();
    redis.run::<()>(&["ACL", "SETUSER", "default", "resetchannels"]);
    until_not_ready(&client, "unreachable: broker").await;
    let message = client.get("/readyz").await.body["message"].as_str().unwrap().to_owned();
    assert!(!message.contains("cache") && !message.contains("database"), "{message}");
    redis.run::<()>(&["ACL", "SETUSER", "default", "allchannels"]);
    until_ready(&client).await;
}

/// Load balancers and Kubernetes come from few addresses, and often from those of visitors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_are_never_limited() {
    let setup = Setup::new(Backend::Embedded).await.replacing("open_per_s: 10000", "open_per_s: 1");
    let server = setup.start().await;
    let client = server.client();
    for path in ["/healthz", "/readyz", "/status", "/api/ping"] {
        for _ in 0..30 {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        }
    }
}
