//! What a server process of the bed goes through.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use testbed::{Cluster, Daemon, Folder, Plan, Port, PortTaken, Probe, Redis, Store, tethered};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_daemon_is_killed_frozen_and_started_again_on_its_port() {
    let (folder, port) = (Folder::temporary("testbed-").unwrap(), Port::reserve().unwrap());
    let redis = Redis::new("redis", folder.path(), port.addr(), &[]).unwrap();
    assert!(!redis.daemon.is_ready().await);
    redis.daemon.start().await.unwrap();
    assert!(redis.daemon.start().await.is_err(), "it runs already");
    let first = redis.daemon.pid().unwrap();
    redis.daemon.freeze().unwrap();
    assert!(!redis.daemon.is_ready().await);
    redis.daemon.thaw().unwrap();
    assert!(redis.daemon.is_ready().await);
    redis.daemon.kill();
    assert_eq!(redis.daemon.pid(), None);
    assert!(redis.daemon.reload().is_err(), "there is no process");
    redis.daemon.start().await.unwrap();
    assert_ne!(redis.daemon.pid(), Some(first));
    assert!(redis.daemon.terminate(LIMIT).await.unwrap().success());
}

#[tokio::test]
async fn one_that_ends_by_itself_shows_the_end_of_its_log() {
    let folder = Folder::temporary("testbed-").unwrap();
    let addr = Port::reserve().unwrap().addr();
    let mut command = tethered("sh");
    command.args(["-c", "echo first; echo 'Address already in use'; exit 3"]);
    let daemon = Daemon::new("a script", command, folder.path().join("log"), Probe::Tcp(addr));
    let error = daemon.start().await.unwrap_err();
    assert!(error.is::<PortTaken>());
    assert!(format!("{error:#}").contains("first\nAddress"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_may_be_one_of_stores_alone() {
    let cluster = Cluster::start(Plan { nodes: 0, ..Plan::new("/nonexistent") }).await.unwrap();
    assert_eq!(cluster.redis().masters().await.unwrap().len(), 3);
    assert!(cluster.link(1, Store::Redis).is_err(), "there is no node");
    let primary = cluster.primary();
    primary.execute("CREATE TABLE live.t (n INT); INSERT INTO live.t VALUES (7)").await.unwrap();
    cluster.replica().catch_up(primary).await.unwrap();
    assert_eq!(cluster.replica().value("SELECT n FROM t").await.unwrap(), "7");
}
