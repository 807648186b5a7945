//! What single nodes tell, and what the leader alone does.

use std::time::Duration;

use serde_json::json;

use super::bed::Bed;
use crate::support::metrics::{page, sum};
use crate::support::server::{Backend, Setup, free_port};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(40);

/// What the leader alone tells.
const OF_LEADER: [&str; 5] = [
    "liveloom_rooms_live",
    "liveloom_users_online",
    "liveloom_reaction_pending",
    "liveloom_reaction_oldest_seconds",
    "liveloom_gifts_open",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_alone_tells_what_is_live_and_another_does_when_it_is_gone() {
    let exporters = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let [first, second] = &exporters;
    let setup = Setup::new(Backend::Redis).await;
    let exported =
        |addr: &str| format!("prome: {{client_mode: exporter, exporter_config: {{listen_addr: '{addr}'}}}}");
    let beside = setup.beside(2).with(&exported(second));
    let mut leader = setup.with(&exported(first)).start().await;
    let other = beside.start().await;
    let anchor = other.client_of("anchor").await;
    let live_id = anchor.go_live("watched").await["live_id"].as_str().unwrap().to_owned();
    let viewer = other.client_of("viewer").await;
    viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();

    wait_until("the leader has counted", SOON, async || {
        let page = page(first).await;
        OF_LEADER.iter().all(|name| sum(&page, name, &[]).is_some())
            && sum(&page, "liveloom_rooms_live", &[]) == Some(1.0)
            && sum(&page, "liveloom_users_online", &[]) >= Some(1.0)
    })
    .await;
    let (leading, following) = (page(first).await, page(second).await);
    let leads = [&leading, &following].map(|page| sum(page, "liveloom_leader", &[]));
    assert_eq!(leads, [Some(1.0), Some(0.0)]);
    assert!(OF_LEADER.iter().all(|name| sum(&following, name, &[]).is_none()), "{following}");

    leader.kill();
    wait_until("the other leads, and has counted", SOON, async || {
        let page = page(second).await;
        sum(&page, "liveloom_leader", &[]) == Some(1.0) && sum(&page, "liveloom_rooms_live", &[]) == Some(1.0)
    })
    .await;
    assert_eq!(sum(&page(second).await, "liveloom_leader_token", &[]), Some(2.0));
    assert_eq!(sum(&page(second).await, "liveloom_leader_changes_total", &[]), Some(1.0));
    leader.start().await;
    wait_until("the other has given it back, and is silent", SOON, async || {
        let page = page(second).await;
        sum(&page, "liveloom_leader", &[]) == Some(0.0)
            && OF_LEADER.iter().all(|name| sum(&page, name, &[]).is_none())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_services_tells_of_its_file_and_begins_all_counters_at_zero() {
    let page = Bed::start(Backend::Embedded).await.metrics().await;
    let of = |name: &str, labels: &[(&str, &str)]| sum(&page, name, labels);
    for role in ["writer", "reader"] {
        let labels = [("database", "embedded"), ("role", role)];
        assert!(of("liveloom_database_connections_limit", &labels).unwrap() >= 1.0, "{role}");
        assert!(of("liveloom_database_wait_seconds_count", &labels).is_some(), "{role}");
    }
    assert!(!page.contains("liveloom_redis_"), "{page}");
    for store in ["database", "cache"] {
        assert_eq!(of("liveloom_store_up", &[("store", store)]), Some(1.0), "{store}");
    }
    assert_eq!(of("liveloom_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    assert_eq!(of("liveloom_draining", &[]), Some(0.0));
    assert_eq!(of("liveloom_log_lines_dropped_total", &[]), Some(0.0));
    let counters: [(&str, &[(&str, &str)]); 9] = [
        ("liveloom_gifts_ended_total", &[("outcome", "refused")]),
        ("liveloom_gifts_flagged_total", &[("said", "paid")]),
        ("liveloom_gift_asks_total", &[("by", "redo"), ("outcome", "unknown")]),
        ("liveloom_room_messages_total", &[("action", "censor_stop"), ("result", "paused")]),
        ("liveloom_reaction_failures_total", &[("reaction", "pk_ends"), ("result", "failed")]),
        ("liveloom_review_calls_total", &[("call", "query"), ("result", "failed")]),
        ("liveloom_realtime_dropped_total", &[("reason", "slow")]),
        ("liveloom_realtime_closed_total", &[("code", "3503")]),
        ("liveloom_realtime_gaps_total", &[("result", "lost")]),
    ];
    for (name, labels) in counters {
        assert_eq!(of(name, labels), Some(0.0), "{name} {labels:?}");
    }
}
