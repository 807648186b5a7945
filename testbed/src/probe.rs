//! Whether a server answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http;

/// A frozen server takes connections and answers nothing.
const LIMIT: Duration = Duration::from_secs(2);

/// How to find out that a server is ready.
#[derive(Clone, Debug)]
pub enum Probe {
    /// Somebody listens.
    Tcp(SocketAddr),
    /// This path is answered with 200.
    Http(SocketAddr, &'static str),
    /// A Redis that has loaded its data.
    Redis(SocketAddr),
    /// A MariaDB, over its socket.
    MariaDb(PathBuf),
}

impl Probe {
    /// Asks once.
    pub async fn answers(&self) -> bool {
        timeout(LIMIT, self.ask()).await.unwrap_or(false)
    }

    async fn ask(&self) -> bool {
        match self {
            Self::Tcp(addr) => TcpStream::connect(addr).await.is_ok(),
            Self::Http(addr, path) => http::get(*addr, path).await.is_ok_and(|answer| answer.status == 200),
            Self::Redis(addr) => crate::redis::ask::<String>(*addr, &["PING"]).await.is_ok(),
            Self::MariaDb(socket) => {
                let root = MySqlConnectOptions::new()
                    .socket(socket)
                    .username("root")
                    .ssl_mode(MySqlSslMode::Disabled)
                    .disable_statement_logging();
                match MySqlConnection::connect_with(&root).await {
                    Ok(connection) => connection.close().await.is_ok(),
                    Err(_) => false,
                }
            }
        }
    }
}
