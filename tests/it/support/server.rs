//! The real server: its binary in a process of its own, to be killed and started again.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use config::DatabaseConfig;

use super::client::Client;
use super::database::TestDatabase;
use super::env;
use super::wait::{wait_for, wait_until};

/// How long a server may take to be ready, on a busy machine with a debug build.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Where a server keeps what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite and the cache in memory.
    Embedded,
    /// MariaDB and one Redis.
    Redis,
    /// MariaDB and a Redis Cluster.
    RedisCluster,
}

/// How to start a server: a database, key prefix, folder and port of its own.
pub struct Setup {
    database: Arc<TestDatabase>,
    /// For its data, settings and log.
    folder: PathBuf,
    port: u16,
    yaml: String,
    overlay: String,
    crash_at: Option<String>,
    panic_at: Option<String>,
    shell: Option<String>,
}

impl Setup {
    /// The default settings over `backend`. `/server` calls from this machine need no signature.
    pub async fn new(backend: Backend) -> Self {
        let database = match backend {
            Backend::Embedded => TestDatabase::embedded(),
            Backend::Redis | Backend::RedisCluster => TestDatabase::create().await,
        };
        Self::over(backend, database)
    }

    /// As [`Setup::new`], over a database that is there already.
    pub fn over(backend: Backend, database: TestDatabase) -> Self {
        let port = free_port();
        let yaml = format!(
            "node: {{node_id: 1, data_dir: '{folder}'}}\n\
             httpq: {{addr: '127.0.0.1:{port}', workers: 2}}\n\
             auth: {{jwt_key: key-of-the-tests-0123456789abcdef, server: {{enable: false}}}}\n\
             account: {{access_key: test-ak, secret_key: test-sk}}\n\
             cron: {{lease_s: 2}}\n\
             limits: {{open_per_s: 10000, rooms_per_user_h: 0, writes_per_user_s: 0, stats_rows_per_room: 0}}\n\
             realtime: {{drain_s: 0}}\n\
             {cache}{mysql}",
            folder = database.data_dir().display(),
            cache = cache_section(backend, database.schema()),
            mysql = database.entry().as_ref().map(mysql_section).unwrap_or_default(),
        );
        Self::of(database, port, yaml, String::new())
    }

    fn of(database: TestDatabase, port: u16, yaml: String, overlay: String) -> Self {
        let folder = database.data_dir().to_owned();
        Self {
            database: Arc::new(database),
            folder,
            port,
            yaml,
            overlay,
            crash_at: None,
            panic_at: None,
            shell: None,
        }
    }

    /// Another node over the same database and cache, with a port and a folder of its own.
    #[must_use]
    pub fn beside(&self, node_id: u16) -> Self {
        let folder = self.database.data_dir().join(format!("node-{node_id}"));
        fs::create_dir(&folder).unwrap();
        let beside = Self {
            database: Arc::clone(&self.database),
            port: free_port(),
            yaml: self.yaml.clone(),
            overlay: self.overlay.clone(),
            crash_at: None,
            panic_at: None,
            shell: None,
            folder,
        };
        let node = |id: u16, folder: &Path| format!("node_id: {id}, data_dir: '{}'", folder.display());
        let addr = |port: u16| format!("addr: '127.0.0.1:{port}', workers");
        let (old_node, new_node) = (node(1, &self.folder), node(node_id, &beside.folder));
        let (old_addr, new_addr) = (addr(self.port), addr(beside.port));
        beside.replacing(&old_node, &new_node).replacing(&old_addr, &new_addr)
    }

    /// The file of QNLiveKit_Server's guide, with a database, this run's Redis and a port in it.
    pub async fn of_the_guide() -> Self {
        let database = TestDatabase::create().await;
        let entry = database.entry().expect("a database server");
        let port = free_port();
        let yaml = include_str!("../config/guide.yaml")
            .replace("\":8099\"", &format!("\"127.0.0.1:{port}\""))
            .replace("127.0.0.1:6379", &env::redis())
            .replace("host: 127.0.0.1", &format!("host: {}", entry.host))
            .replace("port: 3306", &format!("port: {}", entry.port))
            .replace("username: root", &format!("username: {}", entry.username))
            .replace("password: secret", &format!("password: {}", entry.password.expose()))
            .replace("database: live", &format!("database: {}", entry.database))
            .replace("https://im.example.com", "http://127.0.0.1:1")
            .replace("https://push.example.com", "http://127.0.0.1:1");
        let overlay = format!("cache: {{key_prefix: '{}:'}}\n", database.schema());
        Self::of(database, port, yaml, overlay)
    }

    /// Further settings; they win over those before.
    #[must_use]
    pub fn with(mut self, yaml: &str) -> Self {
        self.overlay.push_str(yaml);
        self.overlay.push('\n');
        self
    }

    /// Reads lists from a copy of its database.
    #[must_use]
    pub fn reading_from(mut self, copy: &TestDatabase) -> Self {
        let entry = mysql_entry(&copy.entry().expect("a database server"));
        self.yaml.push_str(&format!("    - {{{entry}, read_only: true}}\n"));
        self
    }

    /// Reads lists from its own database, as if that were a copy without any lag.
    #[must_use]
    pub fn reading_from_itself(self) -> Self {
        let database = Arc::clone(&self.database);
        self.reading_from(&database)
    }

    /// Replaces a text of the settings, for example an address by that of a proxy.
    #[must_use]
    pub fn replacing(mut self, from: &str, to: &str) -> Self {
        let settings = [&mut self.yaml, &mut self.overlay];
        assert!(settings.iter().any(|yaml| yaml.contains(from)), "{from} is not in the settings");
        settings.into_iter().for_each(|yaml| *yaml = yaml.replace(from, to));
        self
    }

    /// Lets the server kill itself when it first reaches that step (`common::crash`); started again
    /// after that, it lives on.
    #[must_use]
    pub fn crashing_at(mut self, point: &str) -> Self {
        self.crash_at = Some(point.to_owned());
        self
    }

    /// As [`Setup::crashing_at`], but a task of the server panics there.
    #[must_use]
    pub fn panicking_at(mut self, point: &str) -> Self {
        self.panic_at = Some(point.to_owned());
        self
    }

    /// Starts the server by a shell that runs `command` first, such as `ulimit -n 500`.
    #[must_use]
    pub fn after(mut self, command: &str) -> Self {
        self.shell = Some(command.to_owned());
        self
    }

    /// Where the server will listen, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its database.
    pub fn database(&self) -> Arc<TestDatabase> {
        Arc::clone(&self.database)
    }

    /// The port of the database server, as [`Setup::replacing`] finds it.
    pub fn database_port(&self) -> u16 {
        self.database.entry().expect("a database server").port
    }

    /// Writes the configuration file and the one that is merged over it.
    pub fn write(&self) -> (PathBuf, PathBuf) {
        let folder = &self.folder;
        let (config, overlay) = (folder.join("config.yaml"), folder.join("overlay.yaml"));
        fs::write(&config, &self.yaml).unwrap();
        fs::write(&overlay, &self.overlay).unwrap();
        (config, overlay)
    }

    /// Makes the tables and creates an administrator, by the commands.
    pub fn create_administrator(&self, name: &str, password: &str) {
        let (config, overlay) = self.write();
        let mut migrate = binary(&["migrate", "--config"]);
        let migrated = migrate.arg(&config).arg("-e").arg(&overlay).output().unwrap();
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let mut command = binary(&["admin", "create", "--name", name, "--config"]);
        command.arg(config).arg("-e").arg(overlay).env("LIVELOOM_ADMIN_PASSWORD", password);
        let created = command.output().unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(self) -> ServerProcess {
        let mut server = self.prepare();
        server.start().await;
        server
    }

    /// A server that is still to be started.
    pub fn prepare(self) -> ServerProcess {
        let (config, overlay) = self.write();
        let log = self.folder.join("server.log");
        ServerProcess { child: None, log, config, overlay, setup: self }
    }
}

fn cache_section(backend: Backend, prefix: &str) -> String {
    match backend {
        Backend::Embedded => String::new(),
        Backend::Redis => {
            format!("cache: {{type: node, addr: '{}', key_prefix: '{prefix}:'}}\n", env::redis())
        }
        Backend::RedisCluster => {
            let nodes = env::redis_cluster();
            format!("cache: {{type: cluster, addrs: {nodes:?}, key_prefix: '{prefix}:'}}\n")
        }
    }
}

fn mysql_section(entry: &DatabaseConfig) -> String {
    format!("mysql:\n  databases:\n    - {{{}, max_open_conns: 8}}\n", mysql_entry(entry))
}

fn mysql_entry(entry: &DatabaseConfig) -> String {
    format!(
        "host: '{host}', port: {port}, username: '{user}', password: '{password}', database: '{schema}'",
        host = entry.host,
        port = entry.port,
        user = entry.username,
        password = entry.password.expose(),
        schema = entry.database,
    )
}

/// A server that runs, or ran; killed when dropped.
pub struct ServerProcess {
    child: Option<Child>,
    log: PathBuf,
    config: PathBuf,
    overlay: PathBuf,
    setup: Setup,
}

impl ServerProcess {
    /// Starts the server again and waits until it is ready.
    pub async fn start(&mut self) {
        self.spawn();
        let client = self.client();
        wait_until("the server is ready", START_LIMIT, async || {
            self.assert_alive();
            client.try_get("/readyz").await.is_some_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// Starts it and does not wait.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = match &self.setup.shell {
            None => binary(&["serve", "--config"]),
            Some(first) => shell(&format!("{first}; exec \"$0\" serve --config \"$@\"")),
        };
        let child = command
            .arg(&self.config)
            .arg("-e")
            .arg(&self.overlay)
            .envs(self.setup.crash_at.take().map(|point| ("LIVELOOM_CRASH_AT", point)))
            .envs(self.setup.panic_at.take().map(|point| ("LIVELOOM_PANIC_AT", point)))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Lets it kill itself at that step (`name` or `name:n`) after its next start.
    pub fn crash_at(&mut self, point: Option<&str>) {
        self.setup.crash_at = point.map(str::to_owned);
    }

    /// Waits until it has killed itself.
    pub async fn crashed(&mut self, limit: Duration) {
        let mut child = self.child.take().expect("it runs");
        let status = wait_for("the server crashes", limit, async || child.try_wait().unwrap()).await;
        assert!(!status.success(), "it ended in good order: {status}");
    }

    /// Whether it has killed itself by now.
    pub fn try_crashed(&mut self) -> Option<()> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        assert!(!status.success(), "it ended in good order: {status}");
        self.child = None;
        Some(())
    }

    /// Its number, while it runs.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid();
        let kill = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end.
    pub async fn ended(&mut self, limit: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        wait_for("the server ends", limit, async || child.try_wait().unwrap()).await
    }

    /// Asks it to stop, with SIGTERM, and waits for its end.
    pub async fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.signal("TERM");
        self.ended(limit).await
    }

    /// A client without a token.
    pub fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.setup.port))
    }

    /// A client that acts as `user_id`, who is created when new.
    pub async fn client_of(&self, user_id: &str) -> Client {
        self.client().log_in(user_id).await
    }

    /// How it was set up.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Its configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.setup.database
    }

    /// What it wrote to standard output and standard error.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn assert_alive(&mut self) {
        if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
            panic!("the server ended with {status}");
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(30)..).unwrap_or_default();
            eprintln!("the end of the server's log:\n{}", tail.join("\n"));
        }
    }
}

/// The server's program with arguments, without settings of this process's environment.
pub fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liveloom"));
    command.args(arguments);
    without_settings(command)
}

/// A shell that has the server's program as `$0`.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_liveloom")]);
    without_settings(command)
}

fn without_settings(mut command: Command) -> Command {
    command.stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LIVELOOM__")) {
        command.env_remove(name);
    }
    command
}

/// A port of 127.0.0.1 that is free and that the system gives to no connection meanwhile, so that a
/// server can come back to it.
pub fn free_port() -> u16 {
    /// Below the ports that the system hands out.
    const RANGE: std::ops::Range<u16> = 20_000..32_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Other processes look for ports as well, so each begins elsewhere.
    let begin = u16::try_from(std::process::id() % 60_000).unwrap();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = RANGE.start + begin.wrapping_mul(37).wrapping_add(step) % (RANGE.end - RANGE.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
