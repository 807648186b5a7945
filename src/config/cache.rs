//! `cache`: Redis, or this process's memory.

use serde::Serialize;

use super::Secret;
use super::section::Section;

/// `cache` (`cache_config`)
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CacheConfig {
    /// In this process: for a server that runs alone.
    #[default]
    Memory,
    /// One Redis.
    Node(RedisConfig),
    /// A Redis Cluster.
    Cluster(RedisConfig),
}

/// How to reach Redis.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct RedisConfig {
    /// host:port; exactly one for a node, some members of a cluster.
    pub addrs: Vec<String>,
    /// Empty: the default user.
    pub username: String,
    /// Empty: none.
    pub password: Secret,
    /// Whether to speak TLS.
    pub tls: bool,
    /// What every key begins with, for a Redis that is shared.
    pub key_prefix: String,
}

impl CacheConfig {
    /// How to reach Redis, when it is used.
    #[must_use]
    pub fn redis(&self) -> Option<&RedisConfig> {
        match self {
            Self::Memory => None,
            Self::Node(redis) | Self::Cluster(redis) => Some(redis),
        }
    }

    pub(super) fn read(section: &Section<'_>) -> Self {
        let addr = section.text("addr", "").trim().to_owned();
        let addrs = section.texts("addrs");
        let kinds = [("node", Kind::Node), ("cluster", Kind::Cluster), ("memory", Kind::Memory)];
        let kind = section.choice("type", Kind::Memory, &kinds);
        if section.filled("type").is_none() && !(addr.is_empty() && addrs.is_empty()) {
            section.error("type", "is required with an address: node or cluster");
        }
        let redis = |addrs| RedisConfig {
            addrs,
            username: section.text("username", ""),
            password: section.secret("password"),
            tls: section.flag("tls", false),
            key_prefix: section.text("key_prefix", ""),
        };
        match kind {
            Kind::Node => Self::Node(redis(node_addrs(section, addr, addrs))),
            Kind::Cluster => Self::Cluster(redis(cluster_addrs(section, addr, addrs))),
            Kind::Memory => {
                redis(addrs);
                Self::Memory
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Node,
    Cluster,
    Memory,
}

fn node_addrs(section: &Section<'_>, addr: String, mut addrs: Vec<String>) -> Vec<String> {
    if !addr.is_empty() {
        check_addr(section, "addr", &addr);
        return vec![addr];
    }
    match addrs.len() {
        0 => section.error("addr", "is required for type node"),
        1 => addrs.iter().for_each(|addr| check_addr(section, "addrs", addr)),
        _ => section
            .error("addrs", "holds several addresses, but type node takes one: use addr, or type cluster"),
    }
    addrs.truncate(1);
    addrs
}

fn cluster_addrs(section: &Section<'_>, addr: String, mut addrs: Vec<String>) -> Vec<String> {
    if addrs.is_empty() && !addr.is_empty() {
        addrs.push(addr);
    }
    if addrs.is_empty() {
        section.error("addrs", "is required for type cluster");
    }
    for addr in &addrs {
        check_addr(section, "addrs", addr);
    }
    addrs
}

fn check_addr(section: &Section<'_>, key: &str, addr: &str) {
    let good = addr.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !good {
        section.error(key, format!("{addr:?} is not of the form host:port"));
    }
}
