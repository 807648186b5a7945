//! What Prometheus has of a cluster under load: something for each panel and each alert.

use std::time::{Duration, Instant};

use serde_json::json;

use super::stage::Stage;
use crate::monitoring::live::{all_to_be_shown, without_data};
use crate::monitoring::prometheus::Api;
use crate::support::client::Client;
use crate::support::realtime::Socket;

const LIMIT: Duration = Duration::from_secs(60);

/// Waits until every expression of every dashboard and alert has data. The load goes on.
pub async fn drill(stage: &Stage) {
    let prometheus = Api::at(&stage.cluster.prometheus_addr().to_string());
    let up = prometheus.values("up{job=\"live\"} == 1").await;
    assert_eq!(up.len(), stage.cluster.nodes().len(), "not all nodes are scraped");
    let url = format!("ws://{}/realtime", stage.cluster.nginx_addr());
    let mut socket = Socket::log_in(&url, stage.guest.token()).await;
    let room = format!("room:{}", stage.live_id);
    socket.follow(&room).await;
    let mut empty = all_to_be_shown(&prometheus).await;
    let (count, begun) = (empty.len(), Instant::now());
    while !empty.is_empty() {
        assert!(begun.elapsed() < LIMIT, "no data: {empty:#?}");
        live_on(stage, &mut socket, &room).await;
        empty = without_data(&prometheus, empty).await;
    }
    eprintln!("cluster: Prometheus has data for all {count} expressions of dashboards, rules and alerts");
}

/// What the load does not do.
async fn live_on(stage: &Stage, socket: &mut Socket, room: &str) {
    socket.say(room, "hello").await;
    socket.next_of("liveroom-pubchat").await;
    let gift = json!({"live_id": stage.live_id, "gift_id": stage.gift_id, "amount": 5});
    stage.guest.post("/client/gift/send", gift).await.data();
    for node in stage.cluster.nodes() {
        let nobody = Client::new(format!("http://{}", node.addr));
        assert_eq!(nobody.get("/readyz").await.status, 200);
        assert_eq!(nobody.get("/client/live/room/list").await.status, 401);
    }
}
