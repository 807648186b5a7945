//! `cache`: Redis, or this process's memory.

use std::path::PathBuf;

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
    /// A PEM file of the authorities whose certificates servers may have; none: the public ones.
    pub tls_ca: Option<PathBuf>,
    /// A PEM file of this client's certificate, with those that it hangs on, where servers ask for one.
    pub tls_cert: Option<PathBuf>,
    /// A PEM file of the key of `tls_cert`.
    pub tls_key: Option<PathBuf>,
    /// The name that certificates must be good for; empty: the host that is connected to.
    pub tls_server_name: String,
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
            tls_ca: section.certificates("tls_ca"),
            tls_cert: section.certificates("tls_cert"),
            tls_key: section.private_key("tls_key"),
            tls_server_name: section.text("tls_server_name", ""),
            key_prefix: section.text("key_prefix", ""),
        };
        let config = match kind {
            Kind::Node => Self::Node(redis(node_addrs(section, addr, addrs))),
            Kind::Cluster => Self::Cluster(redis(cluster_addrs(section, addr, addrs))),
            Kind::Memory => {
                warn_of_vain_tls(section, &redis(addrs));
                Self::Memory
            }
        };
        if let Some(redis) = config.redis() {
            check_tls(section, redis);
        }
        config
    }
}

/// What is given in vain would leave its operator thinking that the connection is safe.
fn check_tls(section: &Section<'_>, redis: &RedisConfig) {
    for key in given_tls(redis).filter(|key| *key != "tls" && !redis.tls) {
        section.error(key, "is used with tls: true only");
    }
    match (&redis.tls_cert, &redis.tls_key) {
        (Some(_), None) => section.error("tls_key", "is required with tls_cert"),
        (None, Some(_)) => section.error("tls_cert", "is required with tls_key"),
        _ => {}
    }
}

/// There is no connection that it could be about.
fn warn_of_vain_tls(section: &Section<'_>, redis: &RedisConfig) {
    for key in given_tls(redis) {
        section.warn(key, "has no effect: the type is memory");
    }
}

/// The keys of TLS that are given.
fn given_tls(redis: &RedisConfig) -> impl Iterator<Item = &'static str> {
    let given = [
        ("tls", redis.tls),
        ("tls_ca", redis.tls_ca.is_some()),
        ("tls_cert", redis.tls_cert.is_some()),
        ("tls_key", redis.tls_key.is_some()),
        ("tls_server_name", !redis.tls_server_name.is_empty()),
    ];
    given.into_iter().filter_map(|(key, is_given)| is_given.then_some(key))
}

#[derive(Clone, Copy)]
enum Kind {
    Node,
    Cluster,
    Memory,
}

fn node_addrs(section: &Section<'_>, addr: String, mut addrs: Vec<String>) -> Vec<String> {
    if !addr.is_empty() {
        check_addr(section, "addr", 0, &addr);
        return vec![addr];
    }
    match addrs.len() {
        0 => section.error("addr", "is required for type node"),
        1 => addrs.iter().for_each(|addr| check_addr(section, "addrs", 0, addr)),
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
    for (index, addr) in addrs.iter().enumerate() {
        check_addr(section, "addrs", index, addr);
    }
    addrs
}

fn check_addr(section: &Section<'_>, key: &str, index: usize, addr: &str) {
    let good = addr.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !good {
        section.error_of_item(key, index, format!("{addr:?} is not of the form host:port"));
    }
}
