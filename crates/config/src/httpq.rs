//! `httpq`: the HTTP server.

use std::net::SocketAddr;
use std::thread::available_parallelism;

use ipnet::IpNet;
use serde::Serialize;
use url::Url;

use super::section::Section;

/// More threads than any machine of ours has cores.
const MAX_WORKERS: usize = 1024;

/// `httpq`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HttpqConfig {
    /// As [`listen_addrs`] reads it; port 0 lets the system choose one.
    pub addr: String,
    /// Worker threads, at least 1. In the file 0 means one per core.
    pub workers: usize,
    /// Whether browsers of any origin may call.
    pub cors: bool,
    /// Origins whose pages may call the operators' routes, such as `https://console.example.com`.
    pub cors_admin_origins: Vec<String>,
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Host` are believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for HttpqConfig {
    fn default() -> Self {
        Self {
            addr: ":8099".to_owned(),
            workers: cores(),
            cors: true,
            cors_admin_origins: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl HttpqConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let workers = match section.number("workers", 0, 0..=MAX_WORKERS) {
            0 => default.workers,
            workers => workers,
        };
        Self {
            addr: listen_addr(section, "addr", &default.addr),
            workers,
            cors: section.flag("cors", default.cors),
            cors_admin_origins: origins(section, "cors_admin_origins"),
            trusted_proxies: section.networks("trusted_proxies", &default.trusted_proxies),
        }
    }
}

/// Reads origins as browsers send them. `*` is none: whoever may call the operators' routes is named.
fn origins(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let mut origins = section.texts(key);
    for (index, origin) in origins.iter_mut().enumerate() {
        origin.truncate(origin.trim_end_matches('/').len());
        let is_origin = Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
        if !is_origin {
            let text = format!("{origin:?} is not an origin such as https://console.example.com");
            section.error_of_item(key, index, text);
        }
    }
    origins
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Reads an address to listen on, and reports one that is none.
pub(super) fn listen_addr(section: &Section<'_>, key: &'static str, default: &str) -> String {
    let addr = section.filled(key).unwrap_or(default).to_owned();
    if !addr.is_empty() && listen_addrs(&addr).is_none() {
        section
            .error(key, format!("{addr:?} is not an address to listen on, such as :8099 or 127.0.0.1:8099"));
    }
    addr
}

/// The socket addresses that `text` means ([`common::listen::listen_at`]): `ip:port`; `:port` for all interfaces,
/// IPv4 and IPv6; `localhost:port` for both loopbacks.
#[must_use]
pub fn listen_addrs(text: &str) -> Option<Vec<SocketAddr>> {
    let (host, port) = text.rsplit_once(':')?;
    let hosts = match host {
        "" => vec!["[::]"],
        "localhost" => vec!["127.0.0.1", "[::1]"],
        host => vec![host],
    };
    hosts.into_iter().map(|host| format!("{host}:{port}").parse().ok()).collect()
}
