//! How to reach Redis: addresses, credentials, encryption.

use std::time::Duration;

use redis::aio::PubSub;
use redis::cluster::ClusterClient;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    RedisResult,
};

use super::connection::Connection;
use super::error::CacheError;
use crate::config::RedisConfig;

/// How long reaching one server and logging in may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long one node of a cluster may take to answer. Below the deadline of a call, so that a
/// node that hangs does not take the whole time of a call that asks for the layout first.
const NODE_TIMEOUT: Duration = Duration::from_millis(500);
/// How often the cluster's connection follows a redirection or tries a lost connection again.
const CLUSTER_RETRIES: u32 = 2;
/// The longest and shortest wait before such a retry, in milliseconds.
const CLUSTER_RETRY_WAIT_MS: (u64, u64) = (10, 100);

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    servers: Vec<ConnectionInfo>,
    settings: RedisConnectionInfo,
    cluster: Option<ClusterClient>,
    tls: bool,
}

impl Connector {
    /// For a single server, or a cluster that is known by some of its nodes.
    pub(super) fn new(cfg: &RedisConfig, is_cluster: bool) -> Result<Self, CacheError> {
        if cfg.tls {
            // Fails only when a provider is installed already, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut settings = RedisConnectionInfo::default();
        if !cfg.username.is_empty() {
            settings = settings.set_username(&cfg.username);
        }
        if !cfg.password.is_empty() {
            settings = settings.set_password(cfg.password.expose());
        }
        let addrs = cfg.addrs.iter().map(|addr| parse_addr(addr)).collect::<Result<Vec<_>, _>>()?;
        if addrs.is_empty() || (!is_cluster && addrs.len() != 1) {
            return Err(CacheError::Config(format!("{} addresses are configured", addrs.len()).into()));
        }
        let mut connector = Self { servers: Vec::new(), settings, cluster: None, tls: cfg.tls };
        for (host, port) in addrs {
            let info = connector.info(host, port)?;
            connector.servers.push(info);
        }
        if is_cluster {
            connector.cluster = Some(cluster_client(&connector.servers)?);
        }
        Ok(connector)
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        if let Some(cluster) = &self.cluster {
            return cluster.get_async_connection().await.map(Connection::Cluster);
        }
        // The deadline of a call is kept by the caller.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(1024);
        let server = self.servers.first().cloned().ok_or_else(no_server)?;
        Client::open(server)?
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map(Connection::Node)
    }

    /// Opens a connection for subscriptions to one of the configured servers or, of a cluster,
    /// of `known`, its nodes; the one of that number, counted in a circle.
    pub(super) async fn connect_pubsub(
        &self,
        known: Vec<(String, u16)>,
        number: usize,
    ) -> RedisResult<PubSub> {
        let mut servers = self.servers.clone();
        for (host, port) in known {
            let server = self.info(host, port).map_err(|_| no_server())?;
            if !servers.iter().any(|known| known.addr() == server.addr()) {
                servers.push(server);
            }
        }
        let server = servers.get(number % servers.len().max(1)).cloned().ok_or_else(no_server)?;
        Client::open(server)?.get_async_pubsub().await
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    fn info(&self, host: String, port: u16) -> Result<ConnectionInfo, CacheError> {
        let addr = if self.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = addr.into_connection_info().map_err(|error| config_error(&error))?;
        let tcp = redis::io::tcp::TcpSettings::default().set_nodelay(true);
        Ok(info.set_redis_settings(self.settings.clone()).set_tcp_settings(tcp))
    }
}

fn cluster_client(servers: &[ConnectionInfo]) -> Result<ClusterClient, CacheError> {
    let (shortest, longest) = CLUSTER_RETRY_WAIT_MS;
    ClusterClient::builder(servers.to_vec())
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(NODE_TIMEOUT)
        .overall_response_timeout(None)
        .retries(CLUSTER_RETRIES)
        .min_retry_wait(shortest)
        .max_retry_wait(longest)
        .tcp_settings(redis::io::tcp::TcpSettings::default().set_nodelay(true))
        .build()
        .map_err(|error| config_error(&error))
}

/// Reads `host:port`; an IPv6 address stands in brackets.
fn parse_addr(text: &str) -> Result<(String, u16), CacheError> {
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then_some(())?;
        Some((host.to_owned(), port.parse().ok()?))
    });
    parsed.ok_or_else(|| CacheError::Config(format!("{text:?} is not host:port").into()))
}

fn config_error(error: &redis::RedisError) -> CacheError {
    CacheError::Config(error.to_string().into())
}

fn no_server() -> redis::RedisError {
    (redis::ErrorKind::InvalidClientConfig, "no usable address").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port() {
        assert_eq!(parse_addr("cache.example:6379").unwrap(), ("cache.example".to_owned(), 6379));
        assert_eq!(parse_addr("[::1]:6380").unwrap(), ("::1".to_owned(), 6380));
        for wrong in ["", "cache", ":6379", "cache:", "cache:99999", "cache:x"] {
            assert!(matches!(parse_addr(wrong), Err(CacheError::Config(_))), "{wrong}");
        }
    }

    #[test]
    fn a_node_has_exactly_one_address() {
        let config = |addrs: &[&str]| RedisConfig {
            addrs: addrs.iter().map(ToString::to_string).collect(),
            ..RedisConfig::default()
        };
        assert!(Connector::new(&config(&[]), false).is_err());
        assert!(Connector::new(&config(&[]), true).is_err());
        assert!(Connector::new(&config(&["a:1", "b:1"]), false).is_err());
        assert!(Connector::new(&config(&["a:1", "b:1"]), true).is_ok());
    }
}
