//! The server under test: its configuration, start and stop.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use testbed::{Daemon, MariaDb, Probe, tethered};
use tokio::time::sleep;

use crate::bed::Bed;
use crate::http::Connection;
use crate::probe::process;
use crate::request::{Keys, Renderer};

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(2);
const JWT_KEY: &str = "a-key-of-the-benchmark-0123456789abcdef";
/// 32 bytes, as Standard Webhooks writes a key.
const WEBHOOK_SECRET: &str = "whsec_YmVuY2htYXJrLWtleS0wMTIzNDU2Nzg5YWJjZGVmLTE=";

/// Starts servers with the same keys on the same address, one after the other.
#[derive(Clone, Debug)]
pub struct Launcher {
    binary: PathBuf,
    folder: PathBuf,
    database: Value,
    address: SocketAddr,
    node: u32,
    keys: Keys,
    rtc: String,
}

/// How one start differs from the defaults.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Names its configuration file and its log.
    pub name: &'static str,
    /// Where it finds Redis.
    pub cache: SocketAddr,
    /// `live.viewer_timeout_s`.
    pub viewer_timeout_s: u64,
    /// `callback.addr`, when callbacks are delivered.
    pub callbacks: Option<String>,
    /// Whether clients publish as fast as they like.
    pub is_realtime: bool,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    daemon: Daemon,
    pid: u32,
    /// From the spawn to the first 200 on `/readyz`.
    pub ready_in: Duration,
}

impl Launcher {
    /// `binary` absent: `liveloom` beside this program. `rtc` is the URL of the RTC service.
    pub fn new(binary: Option<&Path>, bed: &Bed, address: SocketAddr, rtc: String) -> Result<Self> {
        let binary = match binary {
            Some(path) => path.to_owned(),
            None => std::env::current_exe()?.with_file_name("liveloom"),
        };
        if !binary.exists() {
            bail!(
                "no server at {}: cargo build --release -p liveloom -p bench, or --server FILE",
                binary.display()
            );
        }
        let keys = Keys { access_key: "bench-access".into(), secret_key: "bench-secret-0123456789".into() };
        let (folder, database) = (bed.folder().to_owned(), database(&bed.database));
        Ok(Self { binary, folder, database, address, node: 1, keys, rtc })
    }

    /// Starts servers beside these, over the same databases.
    pub fn beside(&self, node: u32, address: SocketAddr) -> Self {
        Self { node, address, ..self.clone() }
    }

    /// Where the servers listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Renders requests to the servers.
    pub fn renderer(&self) -> Renderer {
        Renderer::new(self.address.to_string(), self.keys.clone())
    }

    /// Writes the configuration, starts the server and waits until it is ready.
    pub async fn start(&self, variant: &Variant) -> Result<Server> {
        let config = self.folder.join(format!("{}.yaml", variant.name));
        // JSON is YAML.
        fs::write(&config, serde_json::to_vec_pretty(&self.config(variant))?)?;
        let log = self.folder.join(format!("{}.log", variant.name));
        let mut program = tethered(&self.binary);
        program.arg("serve").arg("--config").arg(&config).current_dir(&self.folder);
        let begin = Instant::now();
        let daemon = Daemon::new("the server", program, log, Probe::Http(self.address, "/readyz"));
        daemon.spawn()?;
        let ready_in = self.wait(&daemon, begin).await?;
        let pid = daemon.pid().context("the server has ended")?;
        Ok(Server { daemon, pid, ready_in })
    }

    async fn wait(&self, daemon: &Daemon, begin: Instant) -> Result<Duration> {
        let request = self.renderer().open("GET", "/readyz");
        while begin.elapsed() < PATIENCE {
            daemon.check()?;
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.exchange(&request).await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(begin.elapsed());
            }
            sleep(POLL).await;
        }
        bail!("the server is not ready after {} s:\n{}", PATIENCE.as_secs(), daemon.tail())
    }

    fn config(&self, variant: &Variant) -> Value {
        let mut config = self.defaults(variant);
        if variant.is_realtime
            && let Some(config) = config.as_object_mut()
        {
            // What is measured is what the server can do, not what it lets one user do.
            // All viewers come from one address.
            let unlimited = [
                "publish_per_user_s",
                "publish_per_room_s",
                "connections_per_address",
                "handshakes_per_address_s",
            ];
            let unlimited = unlimited.map(|key| (key.to_owned(), json!(0)));
            config.insert("realtime".into(), unlimited.into_iter().collect::<serde_json::Map<_, _>>().into());
        }
        config
    }

    fn defaults(&self, variant: &Variant) -> Value {
        let data = self.folder.join(format!("data-{}", self.node));
        json!({
            "node": { "node_id": self.node, "data_dir": data },
            "account": { "access_key": "bench-qiniu", "secret_key": "bench-qiniu-secret" },
            "httpq": { "addr": self.address.to_string() },
            "auth": {
                "jwt_key": JWT_KEY,
                "server": {
                    "enable": true,
                    "access_key": self.keys.access_key,
                    "secret_key": self.keys.secret_key,
                },
            },
            "cache": { "type": "node", "addr": variant.cache.to_string() },
            "mysql": { "databases": [self.database] },
            "im": { "provider": "builtin" },
            "rtc": { "app_id": "bench-rtc", "api_url": self.rtc },
            // The server is its own payment service.
            "gift": { "gift_addr": format!("http://{}/manager/gift/test", self.address) },
            "callback": variant.callbacks.as_ref().map(|addr| json!({ "addr": addr, "secret": WEBHOOK_SECRET })),
            "pili": {
                "hub": "bench", "security_type": "expiry", "publish_key": "bench-publish",
                "publish_expire_s": 3600, "stream_pattern": "bench-%s", "publish_domain": "push.example.com",
                "rtmp_play_url": "rtmp://play.example.com", "flv_play_url": "https://play.example.com",
                "hls_play_url": "https://play.example.com",
            },
            "cron": { "single_task_node": 1 },
            // The bare route is one of the rate-limited open routes.
            "limits": {
                "open_per_s": 1_000_000,
                "rooms_per_user_h": 0, "writes_per_user_s": 0, "stats_rows_per_room": 0,
            },
            "live": { "viewer_timeout_s": variant.viewer_timeout_s },
        })
    }
}

fn database(database: &MariaDb) -> Value {
    json!({
        "host": "127.0.0.1", "port": database.addr.port(), "username": database.account(),
        "password": database.account(), "database": database.account(), "max_idle_conns": 20,
        "max_open_conns": 40, "conn_max_life_time": 600, "default": "live", "loc": "Asia/Shanghai",
    })
}

impl Server {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its resident memory in bytes.
    pub fn resident(&self) -> Result<u64> {
        process::resident(self.pid).context("the server is gone")
    }

    /// Stops it as an operator would.
    pub async fn stop(self) -> Result<()> {
        self.daemon.terminate(PATIENCE).await?;
        Ok(())
    }
}
