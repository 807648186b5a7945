//! `prome`: metrics for Prometheus.

use serde::Serialize;

use super::httpq::listen_addr;
use super::section::Section;

const DEFAULT_INTERVAL_S: u64 = 10;

/// `prome` (`prome_config`)
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "client_mode", rename_all = "snake_case")]
pub enum PromeConfig {
    /// No metrics are given out.
    #[default]
    Off,
    /// Prometheus fetches them.
    Exporter {
        /// Where `/metrics` is served, as [`listen_addrs`](super::listen_addrs) reads it.
        listen_addr: String,
    },
    /// This server sends them to a Pushgateway.
    Pusher {
        /// Address of the Pushgateway, without a slash at the end.
        url: String,
        /// The label `job`.
        job: String,
        /// The label `instance`.
        instance: String,
        /// Seconds between two pushes.
        interval_s: u64,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Off,
    Exporter,
    Pusher,
}

impl PromeConfig {
    /// `node_id` gives `pusher_config.instance` its default.
    pub(super) fn read(section: &Section<'_>, node_id: u16) -> Self {
        let modes = [("exporter", Mode::Exporter), ("pusher", Mode::Pusher), ("off", Mode::Off)];
        let mode = section.choice("client_mode", Mode::Off, &modes);
        let exporter = section.section("exporter_config", |exporter| read_exporter(exporter, mode));
        let pusher = section.section("pusher_config", |pusher| read_pusher(pusher, mode, node_id));
        if section.filled("client_mode").is_none() && (exporter.is_some() || pusher.is_some()) {
            section.error("client_mode", "is required: exporter, pusher or off");
        }
        match mode {
            Mode::Exporter => exporter.unwrap_or_default(),
            Mode::Pusher => pusher.unwrap_or_default(),
            Mode::Off => Self::Off,
        }
    }
}

fn read_exporter(section: &Section<'_>, mode: Mode) -> Option<PromeConfig> {
    let listen_addr = listen_addr(section, "listen_addr", "");
    if listen_addr.is_empty() {
        if mode == Mode::Exporter {
            section.error("listen_addr", "is required for the client_mode exporter");
        }
        return None;
    }
    Some(PromeConfig::Exporter { listen_addr })
}

fn read_pusher(section: &Section<'_>, mode: Mode, node_id: u16) -> Option<PromeConfig> {
    let or = |key, default: String| section.filled(key).map_or(default, str::to_owned);
    let job = or("job", "live".to_owned());
    let instance = or("instance", format!("live_{node_id}"));
    let interval_s = section.number("interval_s", DEFAULT_INTERVAL_S, 1..=86_400);
    let url = section.address("url", "");
    if url.is_empty() {
        if mode == Mode::Pusher {
            section.error("url", "is required for the client_mode pusher");
        }
        return None;
    }
    Some(PromeConfig::Pusher { url, job, instance, interval_s })
}
