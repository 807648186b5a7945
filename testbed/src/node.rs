//! A liveloom node.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::daemon::Daemon;
use crate::link::{Link, Store};
use crate::mariadb::MariaDb;
use crate::plan::{Metrics, Plan};
use crate::port::Port;
use crate::probe::Probe;
use crate::redis_cluster::RedisCluster;
use crate::spawner::tethered;

/// Signs the tokens of clients, on all nodes.
pub const JWT_KEY: &str = "key-of-the-testbed-0123456789abcdef";

/// A node with its links to the stores.
#[derive(Debug)]
pub struct Node {
    /// `node.node_id`.
    pub id: u16,
    /// The process. Ready means that `/readyz` says 200.
    pub daemon: Daemon,
    /// Where it takes requests and WebSocket connections.
    pub addr: SocketAddr,
    /// Where it serves `/metrics`, unless they are pushed.
    pub metrics_addr: SocketAddr,
    /// Its configuration and the file that is merged over it.
    pub files: [PathBuf; 2],
    links: [(Store, Link); 3],
}

/// What nodes share.
pub(crate) struct Surroundings<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) primary: &'a MariaDb,
    pub(crate) replica: &'a MariaDb,
    pub(crate) redis: &'a RedisCluster,
    pub(crate) gift_addr: &'a str,
    pub(crate) pushgateway: SocketAddr,
    /// Where proxies run.
    pub(crate) runtime: &'a Handle,
}

impl Node {
    /// One that is not running yet.
    pub(crate) async fn new(
        id: u16,
        [port, metrics]: [&Port; 2],
        plan: &Plan,
        around: &Surroundings<'_>,
    ) -> Result<Self> {
        let name = format!("node-{id}");
        let data = around.folder.join(&name);
        fs::create_dir_all(&data).with_context(|| format!("make {}", data.display()))?;
        let links = [
            (Store::Primary, Link::to(around.primary.addr, around.runtime).await?),
            (Store::Replica, Link::to(around.replica.addr, around.runtime).await?),
            (Store::Redis, Link::to_redis(id, around.redis, around.runtime).await?),
        ];
        let files =
            [around.folder.join(format!("{name}.yaml")), around.folder.join(format!("{name}.overlay.yaml"))];
        let [config, overlay] = &files;
        let mut command = tethered(&plan.server);
        command.args(["serve", "--config"]).arg(config).arg("-e").arg(overlay).current_dir(&data);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LIVELOOM__") {
                command.env_remove(name);
            }
        }
        let (addr, metrics_addr) = (port.addr(), metrics.addr());
        let log = around.folder.join(format!("{name}.log"));
        let daemon = Daemon::new(name, command, log, Probe::Http(addr, "/readyz"));
        let node = Self { id, daemon, addr, metrics_addr, files, links };
        node.write(plan, around, &data)?;
        Ok(node)
    }

    /// Its way to a store.
    pub fn link(&self, store: Store) -> &Link {
        let [(_, primary), (_, replica), (_, redis)] = &self.links;
        match store {
            Store::Primary => primary,
            Store::Replica => replica,
            Store::Redis => redis,
        }
    }

    fn write(&self, plan: &Plan, around: &Surroundings<'_>, data: &Path) -> Result<()> {
        let [config, overlay] = &self.files;
        // JSON is YAML.
        fs::write(config, serde_json::to_vec_pretty(&self.config(plan, around, data)?)?)?;
        fs::write(overlay, &plan.overlay)?;
        Ok(())
    }

    fn config(&self, plan: &Plan, around: &Surroundings<'_>, data: &Path) -> Result<Value> {
        let keys = plan.server_keys.as_ref();
        Ok(json!({
            "node": { "node_id": self.id, "data_dir": data },
            "httpq": { "addr": self.addr.to_string(), "workers": 2, "trusted_proxies": ["127.0.0.0/8"] },
            "auth": {
                "jwt_key": JWT_KEY,
                "server": {
                    "enable": keys.is_some(),
                    "access_key": keys.map_or("", |keys| &keys.access_key),
                    "secret_key": keys.map_or("", |keys| &keys.secret_key),
                },
            },
            "account": { "access_key": "testbed", "secret_key": "testbed-secret" },
            "cache": { "type": "cluster", "addrs": self.link(Store::Redis).addrs() },
            "mysql": { "databases": [
                database(around.primary, self.link(Store::Primary).port()?, false),
                database(around.replica, self.link(Store::Replica).port()?, true),
            ] },
            "gift": { "gift_addr": around.gift_addr },
            "callback": { "addr": plan.callback_addr.as_deref().unwrap_or_default() },
            "cron": { "single_task_node": 1, "lease_s": plan.lease_s },
            "limits": {
                "open_per_s": 1_000_000, "login_per_s": 1_000,
                "rooms_per_user_h": 0, "writes_per_user_s": 0, "stats_rows_per_room": 0,
            },
            "prome": self.prome(plan, around),
        }))
    }

    fn prome(&self, plan: &Plan, around: &Surroundings<'_>) -> Value {
        match plan.metrics {
            Metrics::Exported => json!({
                "client_mode": "exporter",
                "exporter_config": { "listen_addr": self.metrics_addr.to_string() },
            }),
            Metrics::Pushed => json!({
                "client_mode": "pusher",
                "pusher_config": { "url": format!("http://{}", around.pushgateway), "interval_s": 1 },
            }),
        }
    }
}

fn database(server: &MariaDb, port: u16, is_read_only: bool) -> Value {
    let account = server.account();
    json!({
        "host": "127.0.0.1", "port": port, "username": account, "password": account, "database": account,
        "max_idle_conns": 4, "max_open_conns": 16, "read_only": is_read_only,
    })
}
