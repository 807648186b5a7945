//! What a cluster shall be like.

use std::path::PathBuf;

/// What a cluster shall be like; `Plan::new(server)` and then what differs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server's program.
    pub server: PathBuf,
    /// How many nodes, with the ids 1, 2 and so on. With 0 the program is not needed.
    pub nodes: u16,
    /// Where to keep everything, and leave it; none: a temporary folder.
    pub folder: Option<PathBuf>,
    /// `cron.lease_s`.
    pub lease_s: u64,
    /// `gift.gift_addr`; none: the server's own stand-in, which says paid to everything.
    pub gift_addr: Option<String>,
    /// `callback.addr`; none: nobody is told.
    pub callback_addr: Option<String>,
    /// What signs `/server` calls; none: they need no signature.
    pub server_keys: Option<ServerKeys>,
    /// How the nodes' metrics get to Prometheus.
    pub metrics: Metrics,
    /// YAML that is merged over each node's configuration.
    pub overlay: String,
}

/// The keys of `auth.server`.
#[derive(Clone, Debug)]
pub struct ServerKeys {
    /// Public.
    pub access_key: String,
    /// Secret.
    pub secret_key: String,
}

/// How the nodes' metrics get to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// Prometheus fetches them from each node.
    Exported,
    /// The nodes send them to the Pushgateway, every second.
    Pushed,
}

impl Plan {
    /// Three nodes for tests: a lease of 2 s, no signatures, nobody who is told.
    pub fn new(server: impl Into<PathBuf>) -> Self {
        Self {
            server: server.into(),
            nodes: 3,
            folder: None,
            lease_s: 2,
            gift_addr: None,
            callback_addr: None,
            server_keys: None,
            metrics: Metrics::Exported,
            overlay: String::new(),
        }
    }
}
