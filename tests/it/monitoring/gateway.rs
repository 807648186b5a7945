//! Nodes that push to a Pushgateway, Debian's.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::files::items;
use super::prometheus::Prometheus;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};
use crate::support::wait::{wait_for, wait_until};

const SOON: Duration = Duration::from_secs(30);
/// What a server has for its end.
const END_LIMIT: Duration = Duration::from_secs(40);

/// A Pushgateway at an address; killed when dropped.
struct Gateway {
    child: Child,
    addr: String,
    _folder: TempDir,
}

impl Gateway {
    async fn start(addr: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new("prometheus-pushgateway")
            .arg(format!("--web.listen-address={addr}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("prometheus-pushgateway is installed");
        let gateway = Self { child, addr: addr.to_owned(), _folder: folder };
        wait_until("the Pushgateway is ready", SOON, async || {
            let answer = reqwest::get(format!("http://{addr}/-/ready")).await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        gateway
    }

    /// The groups that it holds: instance, and when it was pushed last.
    async fn groups(&self) -> Vec<(String, f64)> {
        let answer = reqwest::get(format!("http://{}/api/v1/metrics", self.addr)).await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let groups = items(&answer["data"]).map(|group| {
            assert_eq!(group["labels"]["job"], "live", "{group:#}");
            let pushed = &group["push_time_seconds"]["metrics"][0]["value"];
            let instance = group["labels"]["instance"].as_str().unwrap().to_owned();
            (instance, pushed.as_str().unwrap().parse().unwrap())
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by(|one, other| one.0.cmp(&other.0));
        groups
    }

    async fn instances(&self) -> Vec<String> {
        self.groups().await.into_iter().map(|(instance, _)| instance).collect()
    }

    async fn pushed_at(&self, instance: &str) -> f64 {
        self.groups().await.iter().find(|(of, _)| of == instance).map_or(0.0, |(_, at)| *at)
    }

    /// Waits until that instance has pushed twice more.
    async fn two_pushes_of(&self, instance: &str) {
        for _ in 0..2 {
            let before = self.pushed_at(instance).await;
            wait_until("a push", SOON, async || self.pushed_at(instance).await > before).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three nodes over the same stores, which push each second.
async fn nodes(gateway: &str) -> [ServerProcess; 3] {
    let setup = Setup::new(Backend::Redis).await;
    let pushing = format!(
        "prome: {{client_mode: pusher, pusher_config: {{url: 'http://{gateway}', job: live, interval_s: 1}}}}"
    );
    let setup = setup.with(&pushing);
    let (second, third) = (setup.beside(2), setup.beside(3));
    [setup.start().await, second.start().await, third.start().await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_has_a_group_until_it_ends_in_good_order() {
    let addr = format!("127.0.0.1:{}", free_port());
    // Nobody is there to push to yet.
    let [mut first, mut second, third] = nodes(&addr).await;
    let gateway = Gateway::start(&addr).await;
    wait_until("all groups are there", SOON, async || {
        gateway.instances().await == ["live_1", "live_2", "live_3"]
    })
    .await;

    let prometheus = Prometheus::over_gateway(&addr).await;
    let shown = async |expression: &str| {
        let values = prometheus.values(expression).await;
        if values.len() == 1 { Some(values[0]) } else { None }
    };
    wait_for("Prometheus has the nodes under their own names", SOON, async || {
        let nodes = shown(r#"count(liveloom_build_info{job="live", instance=~"live_[123]"})"#).await?;
        let leading = shown(r#"liveloom_leader{job="live"} == 1"#).await?;
        (nodes == 3.0 && leading == 1.0).then_some(())
    })
    .await;
    wait_until("the leader counts", SOON, async || {
        shown(r#"liveloom_rooms_live{instance="live_1"}"#).await == Some(0.0)
    })
    .await;

    let ended = first.terminate(END_LIMIT).await;
    assert!(ended.success(), "{ended}");
    assert_eq!(gateway.instances().await, ["live_2", "live_3"]);
    second.kill();
    let killed = gateway.pushed_at("live_2").await;
    gateway.two_pushes_of("live_3").await;
    assert_eq!(gateway.instances().await, ["live_2", "live_3"], "nothing is pushed after the farewell");
    assert_eq!(gateway.pushed_at("live_2").await, killed, "whoever was killed has left theirs behind");
    wait_until("the nodes that are left know who leads", SOON, async || {
        shown(r#"liveloom_leader{instance="live_3"}"#).await == Some(1.0)
    })
    .await;
    drop(third);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_does_not_leave_behind_what_it_tells_no_more() {
    let addr = format!("127.0.0.1:{}", free_port());
    let setup = Setup::new(Backend::Redis).await;
    let pushing = format!(
        "prome: {{client_mode: pusher, pusher_config: {{url: 'http://{addr}', job: live, interval_s: 1}}}}"
    );
    let setup = setup.with(&pushing);
    let preferred = setup.beside(2).replacing("lease_s: 2", "lease_s: 2, single_task_node: 2");
    let setup = setup.replacing("lease_s: 2", "lease_s: 2, single_task_node: 2");
    let _node = setup.start().await;
    let gateway = Gateway::start(&addr).await;
    let page = async || {
        let page = reqwest::get(format!("http://{addr}/metrics")).await.unwrap().text().await.unwrap();
        page.lines().filter(|line| line.contains("instance=\"live_1\"")).collect::<Vec<_>>().join("\n")
    };
    wait_until("the node leads, for want of the preferred one", SOON, async || {
        page().await.contains("liveloom_rooms_live")
    })
    .await;
    let _preferred = preferred.start().await;
    wait_until("it does not lead any more, and tells nothing of that", SOON, async || {
        let page = page().await;
        page.contains("liveloom_build_info") && !page.contains("liveloom_rooms_live")
    })
    .await;
    drop(gateway);
}

/// What a path cannot have is sent encoded, and the gateway has it as it was meant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_and_an_instance_may_have_slashes() {
    let addr = format!("127.0.0.1:{}", free_port());
    let gateway = Gateway::start(&addr).await;
    let pushing = format!(
        "prome: {{client_mode: pusher, pusher_config: {{url: 'http://{addr}', job: 'team/live', \
         instance: 'rack/7/live?', interval_s: 1}}}}"
    );
    let mut server = Setup::new(Backend::Embedded).await.with(&pushing).start().await;
    let labels = async || {
        let answer = reqwest::get(format!("http://{addr}/api/v1/metrics")).await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        items(&answer["data"]).map(|group| group["labels"].clone()).collect::<Vec<_>>()
    };
    let expected = serde_json::json!({"job": "team/live", "instance": "rack/7/live?"});
    wait_until("the group is there", SOON, async || labels().await == [expected.clone()]).await;
    assert!(server.terminate(END_LIMIT).await.success());
    assert_eq!(labels().await, Vec::<Value>::new(), "it is dropped under the same name");
    drop(gateway);
}
