//! The leader dies, sleeps and comes back.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use testbed::Cluster;

use super::runs;
use super::stage::Stage;
use crate::support::fake_payment::Mood;
use crate::support::wait::wait_until;

/// `cron.lease_s` of the cluster.
pub const LEASE_S: u64 = 5;
const LEASE: Duration = Duration::from_secs(LEASE_S);
const SOON: Duration = Duration::from_secs(60);
/// The node that should lead.
const PREFERRED: u16 = 1;
/// The amount of the gift about which the leader is asking when it is frozen.
const AMOUNT: i64 = 4711;
/// How long the payment service takes to answer it.
const ANSWER: Duration = Duration::from_millis(800);

/// All that happens to the leader, one thing after the other. The load goes on.
pub async fn drill(stage: &Stage) {
    let cluster = &stage.cluster;
    leads(cluster, PREFERRED).await;
    killed(cluster).await;
    frozen(stage).await;
}

async fn leader(cluster: &Cluster) -> Option<u16> {
    let now = "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS SIGNED)";
    let sql = format!("SELECT node_id FROM leader_lease WHERE owner <> '' AND expires_ms > {now}");
    let rows = cluster.primary().rows(&sql).await.unwrap();
    rows.first()?.first()?.as_deref()?.parse().ok()
}

async fn leads(cluster: &Cluster, node: u16) {
    wait_until(&format!("node {node} leads"), SOON, async || leader(cluster).await == Some(node)).await;
}

/// Every job goes on elsewhere within two leases, and with the node of old when that is back.
async fn killed(cluster: &Cluster) {
    let tasks = every_job(cluster, PREFERRED).await;
    let at = Utc::now();
    cluster.node(PREFERRED).unwrap().daemon.kill();
    let within = TimeDelta::from_std(2 * LEASE).unwrap();
    wait_until("all jobs run elsewhere", SOON, async || {
        runs::missing(&runs::all(cluster), &tasks, PREFERRED, at, TimeDelta::hours(1)).is_empty()
    })
    .await;
    let late = runs::all(cluster);
    let late = runs::missing(&late, &tasks, PREFERRED, at, within);
    assert!(late.is_empty(), "not within two leases: {late:?}");
    cluster.node(PREFERRED).unwrap().daemon.start().await.unwrap();
    leads(cluster, PREFERRED).await;
    runs::assert_alone(&runs::all(cluster), &[(PREFERRED, at)]);
    eprintln!("cluster: the leader was killed; all {} jobs ran elsewhere within two leases", tasks.len());
}

/// Waits until a node has run every job; their names.
async fn every_job(cluster: &Cluster, node: u16) -> std::collections::BTreeSet<String> {
    let mut tasks = std::collections::BTreeSet::new();
    wait_until("the leader runs its jobs", SOON, async || {
        tasks = runs::tasks_of(&runs::all(cluster), node);
        tasks.contains("flush_likes") && tasks.contains("keep_likes")
    })
    .await;
    tasks
}

/// The leader is frozen for three leases while the payment service answers it. Another one leads meanwhile, and what
/// the sleeper then wants to write is refused.
async fn frozen(stage: &Stage) {
    let (cluster, payer) = (&stage.cluster, &stage.world.payer);
    let node = cluster.node(PREFERRED).unwrap();
    payer.script(AMOUNT, [Mood::Reset { charges: false }, Mood::Slow(ANSWER)]);
    let gift = json!({"live_id": stage.live_id, "gift_id": stage.gift_id, "amount": AMOUNT});
    let sent = stage.guest.post("/client/gift/send", gift).await;
    assert_eq!(sent.body["code"], 20002, "{sent:?}");
    let biz_id = sent.body["data"]["biz_id"].as_str().unwrap().to_owned();
    let asked = async || payer.decisions().contains_key(&biz_id);
    wait_until("the leader asks for the gift", SOON, asked).await;
    node.daemon.freeze().unwrap();
    let at = Utc::now();
    let asleep = Instant::now();
    let is_another = async || leader(cluster).await.is_some_and(|leader| leader != PREFERRED);
    wait_until("another one leads", SOON, is_another).await;
    wait_until("three leases are over", SOON, async || asleep.elapsed() >= 3 * LEASE).await;
    node.daemon.thaw().unwrap();
    wait_until("its late write is refused", SOON, async || refused(stage, &biz_id)).await;
    leads(cluster, PREFERRED).await;
    let paid = format!("SELECT COUNT(*) FROM live_gift WHERE biz_id = '{biz_id}' AND status = 1");
    let is_paid = async || cluster.primary().value(&paid).await.unwrap() == "1";
    wait_until("a leader writes the outcome", SOON, is_paid).await;
    assert_alone_but_for(cluster, at).await;
    eprintln!(
        "cluster: the leader was frozen for three leases; its late write was refused, and it leads again"
    );
}

fn refused(stage: &Stage, biz_id: &str) -> bool {
    let log = std::fs::read_to_string(stage.cluster.node(PREFERRED).unwrap().daemon.log()).unwrap();
    let mut lines = log.lines().filter(|line| line.contains("the outcome of a gift could not be stored"));
    lines.any(|line| line.contains(biz_id) && line.contains("another node leads now"))
}

/// What the sleeper was about when it was frozen ended then, since nothing of it was written later.
async fn assert_alone_but_for(cluster: &Cluster, frozen_at: DateTime<Utc>) {
    let since = frozen_at - TimeDelta::from_std(LEASE).unwrap();
    let recent: Vec<_> = runs::all(cluster).into_iter().filter(|run| run.begun >= since).collect();
    runs::assert_alone(&recent, &[(PREFERRED, frozen_at)]);
}
