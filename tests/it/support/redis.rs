//! Private Redis servers, and a real cluster of them, for tests that stop and kill nodes.
#![allow(clippy::panic)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue, cmd};
use tempfile::TempDir;

/// How long a server may take to come up, and a cluster to agree.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Waits until `check` holds, and fails the test after `limit`.
pub fn wait_blocking(what: &str, limit: Duration, mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A redis-server in a temporary folder, on a free port. Killed when dropped.
pub struct RedisServer {
    child: Mutex<Option<Child>>,
    folder: TempDir,
    port: u16,
    options: Vec<String>,
}

impl RedisServer {
    /// Starts one without persistence, with further options such as `["--appendonly", "yes"]`.
    pub fn start(options: &[&str]) -> Self {
        loop {
            let server = Self {
                child: Mutex::default(),
                folder: tempfile::tempdir().unwrap(),
                port: free_port(),
                options: options.iter().map(ToString::to_string).collect(),
            };
            // Another process may take the port first; then the server ends at once.
            if server.try_up() {
                return server;
            }
        }
    }

    /// The port it listens on, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`.
    pub fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it again, on the same port, with the same folder, after a kill.
    pub fn up(&self) {
        assert!(self.try_up(), "redis-server does not start on port {}", self.port);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops the process where it is: connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// A connection of the test's own.
    pub fn connection(&self) -> Connection {
        self.try_connection().expect("redis-server answers")
    }

    /// Runs a command, given by its words.
    pub fn run<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = cmd(words[0]);
        command.arg(&words[1..]).query(&mut self.connection()).unwrap()
    }

    fn try_connection(&self) -> Option<Connection> {
        let client = Client::open(format!("redis://{}/", self.addr())).ok()?;
        let connection = client.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        Some(connection)
    }

    fn signal(&self, signal: &str) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn try_up(&self) -> bool {
        let mut child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--dir", self.folder.path().to_str().unwrap(), "--daemonize", "no"])
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let start = Instant::now();
        while start.elapsed() < START_LIMIT && child.try_wait().unwrap().is_none() {
            let answers = |mut to: Connection| cmd("PING").query::<String>(&mut to).is_ok();
            if self.try_connection().is_some_and(answers) {
                *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().ok();
        child.wait().ok();
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A real Redis Cluster of 3 masters with a replica each, that fails over after a second or two.
pub struct RedisCluster {
    /// The nodes, in no particular order.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one and waits until it is whole.
    pub fn start() -> Self {
        let options = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1500",
            "--cluster-replica-validity-factor",
            "0",
            "--cluster-require-full-coverage",
            "no",
            "--repl-diskless-sync-delay",
            "0",
        ];
        let cluster = Self { nodes: (0..6).map(|_| RedisServer::start(&options)).collect() };
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(cluster.nodes.iter().map(RedisServer::addr))
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .expect("redis-cli is installed");
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
        wait_blocking("the cluster is whole", START_LIMIT, || cluster.is_whole());
        cluster
    }

    /// One that tests share as long as any of them uses it. Not for tests that harm it.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisCluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Self::start());
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    }

    /// `host:port` of every node.
    pub fn addrs(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::addr).collect()
    }

    /// The master that serves `key`, as node number `asked` sees it.
    pub fn master_of(&self, key: &str, asked: usize) -> &RedisServer {
        let slot: u16 = self.nodes[asked].run(&["CLUSTER", "KEYSLOT", key]);
        let ranges: Vec<(u16, u16, (String, u16, String))> = self.nodes[asked]
            .run::<Vec<Vec<redis::Value>>>(&["CLUSTER", "SLOTS"])
            .into_iter()
            .map(|range| {
                let mut range = range.into_iter();
                let mut next = || range.next().unwrap();
                let (from, to, master) = (next(), next(), next());
                let redis::Value::Array(mut master) = master else { panic!("a node is a list") };
                master.truncate(3);
                (
                    redis::from_redis_value(from).unwrap(),
                    redis::from_redis_value(to).unwrap(),
                    redis::from_redis_value(redis::Value::Array(master)).unwrap(),
                )
            })
            .collect();
        let (_, _, (_, port, _)) = ranges.iter().find(|(from, to, _)| (*from..=*to).contains(&slot)).unwrap();
        self.nodes.iter().find(|node| node.port() == *port).unwrap()
    }

    /// Waits until all that was written so far is on the replicas too.
    pub fn replicate(&self) {
        let masters = self.nodes.iter().filter(|node| {
            let role: Vec<redis::Value> = node.run(&["ROLE"]);
            matches!(&role[0], redis::Value::BulkString(role) if role == b"master")
        });
        for master in masters {
            // Replication is one stream, so that whatever was written before comes first.
            let mut connection = master.connection();
            let offset = |info: &str, field: &str| -> Option<u64> {
                info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse().ok())
            };
            let info: String = cmd("INFO").arg("replication").query(&mut connection).unwrap();
            let written = offset(&info, "master_repl_offset").unwrap();
            wait_blocking("replicas are level", START_LIMIT, || {
                let info: String = cmd("INFO").arg("replication").query(&mut connection).unwrap();
                info.lines().filter(|line| line.starts_with("slave")).any(|line| {
                    let offset = line.split(',').find_map(|part| part.strip_prefix("offset="));
                    offset
                        .and_then(|offset| offset.parse::<u64>().ok())
                        .is_some_and(|offset| offset >= written)
                })
            });
        }
    }

    fn is_whole(&self) -> bool {
        self.nodes.iter().all(|node| {
            let cluster: String = node.run(&["CLUSTER", "INFO"]);
            let replication: String = node.run(&["INFO", "replication"]);
            let linked = if replication.contains("role:master") {
                replication.contains("connected_slaves:1") && replication.contains("state=online")
            } else {
                replication.contains("master_link_status:up")
            };
            cluster.contains("cluster_state:ok") && cluster.contains("cluster_known_nodes:6") && linked
        })
    }
}

/// A port that is free, and whose neighbour 10,000 above, for the cluster's bus, is too.
pub fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}
