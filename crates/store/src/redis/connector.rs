//! How to reach Redis: addresses, credentials, encryption.

use std::time::Duration;
use std::{fmt, io};

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, RedisResult, cmd};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::connection::Connection;
use super::error::RemoteError;
use super::tls::Tls;
use super::wire::{Reply, Stream, Wire};
use config::RedisConfig;

/// How long reaching a server and logging in may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Addr {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Addr {
    /// Reads `host:port`; an IPv6 address may stand in brackets.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then_some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }

    /// Reads where a node of a cluster sends its caller. One that does not know the others' hosts names a port
    /// only, of the host that was `asked`.
    pub(crate) fn redirected(text: &str, asked: &Self) -> Option<Self> {
        match text.strip_prefix(':').or_else(|| text.strip_prefix("?:")) {
            Some(port) => Some(Self { host: asked.host.clone(), port: port.parse().ok()? }),
            None => Self::parse(text),
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Makes connections, all with the same credentials.
#[derive(Clone)]
pub(crate) struct Connector {
    settings: RedisConnectionInfo,
    tls: Option<Tls>,
    asks_run_id: bool,
}

impl Connector {
    /// # Errors
    /// When the files for TLS cannot be used.
    pub(crate) fn new(cfg: &RedisConfig) -> Result<Self, RemoteError> {
        let mut settings = RedisConnectionInfo::default();
        if !cfg.username.is_empty() {
            settings = settings.set_username(&cfg.username);
        }
        if !cfg.password.is_empty() {
            settings = settings.set_password(cfg.password.expose());
        }
        Ok(Self { settings, tls: Tls::new(cfg)?, asks_run_id: false })
    }

    /// Makes connections that know the run id of their server.
    pub(crate) fn asking_run_id(self) -> Self {
        Self { asks_run_id: true, ..self }
    }

    /// Opens a connection for commands, which waits for answers as long as its user does.
    pub(crate) async fn connect(&self, addr: &Addr) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(1024);
        let opening = async {
            let stream = self.open(addr).await?;
            MultiplexedConnection::new_with_config(&self.settings, stream, config).await
        };
        let (connection, driver) = timeout(CONNECT_TIMEOUT, opening).await.map_err(io::Error::from)??;
        let connection = Connection::new(connection, AbortOnDropHandle::new(tokio::spawn(driver)));
        if self.asks_run_id { connection.ask_run_id().await } else { Ok(connection) }
    }

    /// Opens a connection for one who reads what comes, as it comes.
    pub(crate) async fn connect_wire(&self, addr: &Addr) -> io::Result<Wire> {
        let mut wire = Wire::new(self.open(addr).await?);
        if let Some(login) = self.login() {
            wire.send(&login).await?;
            if let Reply::Error(refusal) = wire.receive().await? {
                return Err(io::Error::other(refusal.to_owned()));
            }
        }
        Ok(wire)
    }

    /// Opens a connection for subscriptions.
    pub(crate) async fn connect_pubsub(&self, addr: &Addr) -> RedisResult<PubSub> {
        PubSub::new(&self.settings, self.open(addr).await?).await
    }

    async fn open(&self, addr: &Addr) -> io::Result<Box<dyn Stream>> {
        let tcp = TcpStream::connect((addr.host.as_str(), addr.port)).await?;
        tcp.set_nodelay(true)?;
        Ok(match &self.tls {
            Some(tls) => Box::new(tls.encrypt(tcp, &addr.host).await?),
            None => Box::new(tcp),
        })
    }

    fn login(&self) -> Option<Cmd> {
        let mut login = cmd("AUTH");
        if let Some(username) = self.settings.username() {
            login.arg(username);
        }
        login.arg(self.settings.password()?);
        Some(login)
    }
}

/// The addresses of the configuration: one of a node, any number of a cluster.
pub(crate) fn addrs(cfg: &RedisConfig, is_cluster: bool) -> Result<Vec<Addr>, RemoteError> {
    let wrong = |text: &String| RemoteError::Config(format!("{text:?} is not host:port").into());
    let addrs = cfg.addrs.iter().map(|text| Addr::parse(text).ok_or_else(|| wrong(text)));
    let addrs = addrs.collect::<Result<Vec<_>, _>>()?;
    if addrs.is_empty() || (!is_cluster && addrs.len() != 1) {
        return Err(RemoteError::Config(format!("{} addresses are configured", addrs.len()).into()));
    }
    Ok(addrs)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port() {
        let parsed = |text| Addr::parse(text).map(|addr| addr.to_string());
        assert_eq!(parsed("cache.example:6379").unwrap(), "cache.example:6379");
        assert_eq!(parsed("[::1]:6380").unwrap(), "::1:6380");
        for wrong in ["", "cache", ":6379", "cache:", "cache:99999", "cache:x"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_redirection_without_a_host_stays_with_the_host_that_was_asked() {
        let asked = Addr { host: "asked".to_owned(), port: 1 };
        for (text, addr) in [("a:2", "a:2"), (":2", "asked:2"), ("?:2", "asked:2")] {
            assert_eq!(Addr::redirected(text, &asked).unwrap().to_string(), addr);
        }
        assert_eq!(Addr::redirected(":x", &asked), None);
    }

    #[test]
    fn a_node_has_exactly_one_address() {
        let config = |addrs: &[&str]| RedisConfig {
            addrs: addrs.iter().map(ToString::to_string).collect(),
            ..RedisConfig::default()
        };
        assert!(addrs(&config(&[]), false).is_err());
        assert!(addrs(&config(&[]), true).is_err());
        assert!(addrs(&config(&["a:1", "b:1"]), false).is_err());
        assert_eq!(addrs(&config(&["a:1", "b:1"]), true).unwrap().len(), 2);
    }
}
