//! The bed itself: its parts work together, and what is cut, killed and mended shows.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use testbed::{Cluster, Mode, Plan, ServerKeys, Store};

use crate::support::client::Client;
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(30);

/// What signs `/server` calls: unsigned ones are not taken through a proxy.
pub fn server_keys() -> ServerKeys {
    ServerKeys { access_key: "testbed-ak".to_owned(), secret_key: "testbed-sk-0123456789".to_owned() }
}

/// A caller at `addr`, who signs.
pub fn client_at(addr: SocketAddr) -> Client {
    let keys = server_keys();
    Client::new(format!("http://{addr}")).signing(&keys.access_key, &keys.secret_key)
}

async fn wait_for_readiness(cluster: &Cluster, node: u16, status: u16) {
    let client = client_at(cluster.node(node).unwrap().addr);
    wait_until(&format!("node {node} answers {status}"), LIMIT, async || {
        client.try_get("/readyz").await.is_some_and(|answer| answer.status == status)
    })
    .await;
}

async fn rooms_at_the_replica(cluster: &Cluster) -> String {
    cluster.replica().value("SELECT COUNT(*) FROM live_entities").await.unwrap()
}

#[actix_web::test]
async fn a_cluster_works_and_what_is_cut_or_killed_shows_and_comes_back() {
    let plan = Plan { server_keys: Some(server_keys()), ..Plan::new(env!("CARGO_BIN_EXE_liveloom")) };
    let cluster = Cluster::start(plan).await.unwrap();
    a_room_made_through_nginx_is_on_all_nodes_and_on_the_replica(&cluster).await;
    prometheus_has_all_nodes(&cluster).await;
    a_node_without_redis_is_not_ready(&cluster).await;
    a_late_replica_catches_up(&cluster).await;
    a_killed_redis_master_is_replaced_and_comes_back(&cluster).await;
    a_killed_primary_keeps_what_it_acknowledged(&cluster).await;
    a_killed_node_comes_back(&cluster).await;
}

async fn a_room_made_through_nginx_is_on_all_nodes_and_on_the_replica(cluster: &Cluster) {
    let anchor = client_at(cluster.nginx_addr()).log_in("anchor").await;
    let room = anchor.post("/client/live/room/instance", json!({ "title": "seen everywhere" })).await.data();
    let path = format!("/client/live/room/info/{}", room["live_id"].as_str().unwrap());
    for node in cluster.nodes() {
        let seen = client_at(node.addr).with_token(anchor.token()).get(&path).await.data();
        assert_eq!(seen["title"], "seen everywhere", "at node {}", node.id);
    }
    cluster.replica().catch_up(cluster.primary()).await.unwrap();
    assert_eq!(rooms_at_the_replica(cluster).await, "1");
}

async fn prometheus_has_all_nodes(cluster: &Cluster) {
    let prometheus = client_at(cluster.prometheus_addr());
    wait_until("all nodes are up", LIMIT, async || {
        let query = "/api/v1/query?query=sum(up%7Bjob%3D%22live%22%7D)";
        let answer = prometheus.get(query).await.body;
        answer["data"]["result"][0]["value"][1] == "3"
    })
    .await;
}

async fn a_node_without_redis_is_not_ready(cluster: &Cluster) {
    let link = cluster.link(2, Store::Redis).unwrap();
    for mode in [Mode::Refuse, Mode::BlackHole] {
        link.set(mode);
        wait_for_readiness(cluster, 2, 503).await;
        wait_for_readiness(cluster, 1, 200).await;
        link.set(Mode::Pass);
        wait_for_readiness(cluster, 2, 200).await;
    }
}

async fn a_late_replica_catches_up(cluster: &Cluster) {
    let anchor = client_at(cluster.nginx_addr()).log_in("anchor").await;
    cluster.replica().pause_following().await.unwrap();
    anchor.post("/client/live/room/instance", json!({ "title": "late" })).await.data();
    assert_eq!(rooms_at_the_replica(cluster).await, "1");
    cluster.replica().resume_following().await.unwrap();
    cluster.replica().catch_up(cluster.primary()).await.unwrap();
    assert_eq!(rooms_at_the_replica(cluster).await, "2");
    cluster.replica().delay(1).await.unwrap();
    cluster.replica().delay(0).await.unwrap();
    cluster.replica().wait_following().await.unwrap();
}

async fn a_killed_redis_master_is_replaced_and_comes_back(cluster: &Cluster) {
    let redis = cluster.redis();
    let before = redis.masters().await.unwrap();
    let killed = redis.server(before[0]).unwrap();
    killed.daemon.kill();
    wait_until("its replica takes over", LIMIT, async || {
        let masters = redis.masters().await.unwrap();
        masters.len() == 3 && !masters.contains(&before[0])
    })
    .await;
    for node in cluster.nodes() {
        wait_for_readiness(cluster, node.id, 200).await;
        let user = client_at(node.addr).log_in(&format!("viewer-{}", node.id)).await;
        let room = user.post("/client/live/room/instance", json!({ "title": "after" })).await.data();
        let live_id = room["live_id"].as_str().unwrap();
        user.put(&format!("/client/live/room/{live_id}"), json!({})).await.data();
        wait_until("heartbeats are stored again", LIMIT, async || {
            let answer = user.try_get(&format!("/client/live/room/heartbeat/{live_id}")).await;
            answer.is_some_and(|answer| answer.status == 200)
        })
        .await;
    }
    killed.daemon.start().await.unwrap();
    redis.wait_whole().await.unwrap();
}

async fn a_killed_primary_keeps_what_it_acknowledged(cluster: &Cluster) {
    let rooms = "SELECT COUNT(*) FROM live_entities";
    let before = cluster.primary().value(rooms).await.unwrap();
    cluster.primary().daemon.kill();
    wait_for_readiness(cluster, 3, 503).await;
    cluster.primary().daemon.start().await.unwrap();
    assert_eq!(cluster.primary().value(rooms).await.unwrap(), before);
    wait_for_readiness(cluster, 3, 200).await;
    cluster.replica().wait_following().await.unwrap();
    cluster.replica().catch_up(cluster.primary()).await.unwrap();
}

async fn a_killed_node_comes_back(cluster: &Cluster) {
    let node = cluster.node(1).unwrap();
    node.daemon.kill();
    assert!(!node.daemon.is_ready().await);
    node.daemon.start().await.unwrap();
    node.daemon.freeze().unwrap();
    node.daemon.thaw().unwrap();
    assert!(node.daemon.terminate(testbed::STOP_LIMIT).await.unwrap().success());
}
