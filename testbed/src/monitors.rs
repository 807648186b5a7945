//! Prometheus, with the configuration and the rules of `prometheus/`, and a Pushgateway.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::daemon::Daemon;
use crate::probe::Probe;
use crate::repository::{self, Draft};
use crate::spawner::tethered;

/// A Prometheus at `addr` that fetches from `nodes` and from the Pushgateway, not running yet.
pub(crate) fn prometheus(
    folder: &Path,
    addr: SocketAddr,
    nodes: &[SocketAddr],
    pushgateway: SocketAddr,
) -> Result<Daemon> {
    let own = folder.join("prometheus");
    fs::create_dir_all(own.join("rules"))?;
    for file in fs::read_dir(repository::root().join("prometheus/rules"))? {
        let file = file?;
        fs::copy(file.path(), own.join("rules").join(file.file_name()))?;
    }
    let config = own.join("prometheus.yml");
    fs::write(&config, configuration(addr, nodes, pushgateway)?)?;
    let mut command = tethered("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", own.join("data").display()))
        .arg(format!("--web.listen-address={addr}"));
    Ok(Daemon::new("prometheus", command, folder.join("prometheus.log"), Probe::Http(addr, "/-/ready")))
}

fn configuration(addr: SocketAddr, nodes: &[SocketAddr], pushgateway: SocketAddr) -> Result<String> {
    let nodes: Vec<String> = nodes.iter().map(SocketAddr::to_string).collect();
    let mut draft = Draft::of("prometheus/prometheus.yml")?;
    // Nobody who tries something wants to wait.
    draft
        .replace("scrape_interval: 15s", "scrape_interval: 1s")?
        .replace("scrape_timeout: 10s", "scrape_timeout: 1s")?
        .replace("evaluation_interval: 15s", "evaluation_interval: 1s")?
        .replace("live1:9200, live2:9200", &nodes.join(", "))?
        .replace("localhost:9090", &addr.to_string())?
        .append(&format!(
            "\n  - job_name: pushgateway\n    honor_labels: true\n    \
             static_configs:\n      - targets: ['{pushgateway}']\n"
        ));
    Ok(draft.text().to_owned())
}

/// A Pushgateway at `addr`, not running yet.
pub(crate) fn pushgateway(folder: &Path, addr: SocketAddr) -> Daemon {
    let mut command = tethered("prometheus-pushgateway");
    command.arg(format!("--web.listen-address={addr}"));
    Daemon::new("pushgateway", command, folder.join("pushgateway.log"), Probe::Http(addr, "/-/ready"))
}
