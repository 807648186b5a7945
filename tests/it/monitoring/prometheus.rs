//! Debian's Prometheus with the repository's configuration and rules.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::files::{items, path, yaml};
use crate::support::server::free_port;
use crate::support::wait::wait_until;

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Where a Prometheus answers.
pub struct Api {
    url: String,
}

/// A Prometheus in a temporary folder; killed when dropped.
pub struct Prometheus {
    child: Child,
    folder: TempDir,
    api: Api,
}

impl std::ops::Deref for Prometheus {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Prometheus {
    /// One that scrapes `exporter` as the job `live`, every second.
    pub async fn start(exporter: &str) -> Self {
        Self::run(&configuration(exporter)).await
    }

    /// One that scrapes the Pushgateway `gateway`, every second, and keeps the labels of the nodes.
    pub async fn over_gateway(gateway: &str) -> Self {
        let mut config = configuration(gateway);
        config["scrape_configs"][0]["honor_labels"] = json!(true);
        Self::run(&config).await
    }

    async fn run(configuration: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, serde_json::to_string(configuration).unwrap()).unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={listen}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("prometheus is installed");
        let prometheus = Self { child, folder, api: Api::at(&listen) };
        wait_until("Prometheus is ready", START_LIMIT, async || {
            let answer = reqwest::get(format!("{}/-/ready", prometheus.api.url)).await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        prometheus
    }
}

impl Api {
    /// One at `host:port`.
    pub fn at(addr: &str) -> Self {
        Self { url: format!("http://{addr}") }
    }

    /// The values that an expression has now; fails when it is not accepted.
    pub async fn values(&self, expression: &str) -> Vec<f64> {
        let url =
            reqwest::Url::parse_with_params(&format!("{}/api/v1/query", self.url), [("query", expression)]);
        let answer: Value = reqwest::get(url.unwrap()).await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        let series = items(&answer["data"]["result"]);
        series.map(|one| one["value"][1].as_str().unwrap().parse().unwrap()).collect()
    }

    /// All rules, with their `health` and `state`.
    pub async fn rules(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("{}/api/v1/rules", self.url)).await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        items(&answer["data"]["groups"]).flat_map(|group| items(&group["rules"])).cloned().collect()
    }
}

/// The repository's, with one target and at a test's pace.
fn configuration(exporter: &str) -> Value {
    let mut config = yaml(&path("prometheus/prometheus.yml"));
    config["global"] = json!({"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"});
    let rules = config["rule_files"].as_array_mut().expect("rule files");
    for file in rules {
        *file = json!(path("prometheus").join(file.as_str().unwrap()));
    }
    let jobs = config["scrape_configs"].as_array_mut().expect("jobs");
    jobs.retain(|job| job["job_name"] == "live");
    jobs[0]["static_configs"] = json!([{"targets": [exporter]}]);
    config
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("Prometheus' log:\n{log}");
        }
    }
}
