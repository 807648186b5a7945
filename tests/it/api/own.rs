//! Servers of our own in this process, one backend each.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use liveloom::app::Application;
use liveloom::config::*;
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::NotApplicable;
use super::client::Api;
use super::ledger::Ledger;
use super::target::Target;
use super::world::eventually;

/// Where a server keeps what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite and the cache in memory.
    Embedded,
    /// `LIVELOOM_TEST_MYSQL` and `LIVELOOM_TEST_REDIS`, a database and a key prefix of its own.
    MariaDbAndRedis,
}

/// A running server. [`OwnServer::stop`] ends it.
pub struct OwnServer {
    target: Target,
    backend: Backend,
    ledger: Arc<Ledger>,
    handle: ServerHandle,
    thread: thread::JoinHandle<()>,
    database: Option<String>,
    /// Removed when it is dropped.
    folder: TempDir,
}

const ADMIN: (&str, &str) = ("suite admin", "suite password");

impl Api {
    /// Another server on the same backend with a changed configuration; its answers count as well.
    pub async fn own_server(&self, change: impl FnOnce(&mut Config)) -> Result<OwnServer, NotApplicable> {
        let backend = self.backend.ok_or(NotApplicable("wants a configuration of its own"))?;
        Ok(launch(backend, change, Arc::clone(&self.ledger)).await)
    }
}

/// Starts a server on `backend` with the suite's configuration, changed by `change`.
pub async fn start(backend: Backend, change: impl FnOnce(&mut Config)) -> OwnServer {
    launch(backend, change, Arc::default()).await
}

/// Shows what the servers log: `LIVELOOM_TEST_LOG=warn`.
fn show_log() {
    if let Ok(filter) = std::env::var("LIVELOOM_TEST_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    }
}

async fn launch(backend: Backend, change: impl FnOnce(&mut Config), ledger: Arc<Ledger>) -> OwnServer {
    show_log();
    let folder = tempfile::tempdir().expect("a folder");
    let database = match backend {
        Backend::Embedded => None,
        Backend::MariaDbAndRedis => Some(create_database().await),
    };
    let mut config = config(folder.path(), database.as_deref());
    change(&mut config);
    let (ready, told) = oneshot::channel();
    let thread = thread::spawn(move || run(config, ready));
    let Running { address, metrics, handle } = told.await.expect("the server starts");
    let target = Target {
        base_url: format!("http://{address}"),
        access_key: "suite-ak".to_owned(),
        secret_key: "suite-sk".to_owned(),
        jwt_key: Some("suite-jwt-key-of-32-bytes-or-more".to_owned()),
        stream_keys: Some(("stream-ak".to_owned(), "stream-sk".to_owned())),
        admin: Some((ADMIN.0.to_owned(), ADMIN.1.to_owned())),
        metrics_url: metrics.map(|metrics| format!("http://{metrics}/metrics")),
    };
    let server = OwnServer { target, backend, ledger, handle, thread, database, folder };
    let api = server.api();
    eventually("the server is ready", Duration::from_secs(20), || async {
        api.get("/readyz").may_fail().send().await.status == 200
    })
    .await;
    server.add_admin().await;
    server
}

/// What a started server tells.
struct Running {
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    handle: ServerHandle,
}

/// Builds and runs the server on this thread until it is told to stop.
fn run(config: Config, ready: oneshot::Sender<Running>) {
    actix_web::rt::System::new().block_on(async move {
        let application = Application::build(config).await.expect("the server is built");
        let (address, metrics) = (application.addr(), application.metrics_addr());
        let _ = ready.send(Running { address, metrics, handle: application.stop_handle() });
        application.run_until_stopped().await.expect("the server runs");
    });
}

impl OwnServer {
    /// A client of this server.
    pub fn api(&self) -> Api {
        Api::with_ledger(self.target.clone(), Some(self.backend), Arc::clone(&self.ledger))
    }

    /// Stops the server and removes its database.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        tokio::task::spawn_blocking(|| self.thread.join())
            .await
            .expect("joined")
            .expect("the server ends well");
        if let Some(name) = self.database {
            execute(&mysql_url(""), &format!("DROP DATABASE {name}")).await;
        }
    }

    /// Writes an administrator as the reference did, with a plain password.
    async fn add_admin(&self) {
        let url = match &self.database {
            Some(name) => mysql_url(name),
            None => format!("sqlite://{}/liveloom.db", self.folder.path().display()),
        };
        let row = format!("'{}', 'suite-admin', '{}'", ADMIN.0, ADMIN.1);
        execute(&url, &format!("INSERT INTO admin_user (user_name, user_id, password) VALUES ({row})")).await;
    }
}

/// The configuration of the suite: signed push URLs, an exporter, rates that never stand in the way.
fn config(folder: &Path, database: Option<&str>) -> Config {
    let text = |text: &str| text.to_owned();
    Config {
        node: NodeConfig { node_id: 1, data_dir: folder.to_owned() },
        account: AccountConfig { access_key: text("stream-ak"), secret_key: Secret::new("stream-sk") },
        httpq: HttpqConfig { addr: text("127.0.0.1:0"), workers: 2, cors: true, trusted_proxies: Vec::new() },
        auth: AuthConfig {
            jwt_keys: vec![Secret::new("suite-jwt-key-of-32-bytes-or-more")],
            server: ServerAuthConfig {
                enable: true,
                access_key: text("suite-ak"),
                secret_key: Secret::new("suite-sk"),
                allow: vec!["127.0.0.0/8".parse().expect("a network")],
                require_date: false,
            },
        },
        cache: cache(database),
        mysql: MysqlConfig { databases: database.map(database_config).into_iter().collect() },
        im: ImConfig::Builtin,
        rtc: RtcConfig { app_id: text("rtc-app") },
        pili: pili(),
        cron: CronConfig { single_task_node: 1, lease_s: 2 },
        prome: PromeConfig::Exporter { listen_addr: text("127.0.0.1:0") },
        callback: CallbackConfig { addr: String::new(), secrets: Vec::new(), timeout_s: 5, max_attempts: 8 },
        censor: CensorConfig::default(),
        gift: GiftConfig {
            gift_addr: String::new(),
            timeout_s: 5,
            secret: Secret::default(),
            unpaid_status: 402,
            give_up_s: 3600,
        },
        hooks: HooksConfig {
            allow: vec!["127.0.0.0/8".parse().expect("a network")],
            secret: Secret::default(),
            allow_unsigned: false,
        },
        live: LiveConfig { viewer_timeout_s: 120, anchor_timeout_s: 600 },
        limits: LimitsConfig { open_per_s: 500, login_per_s: 500, replica_lag_s: 2 },
        log: LogConfig { filter: text("warn"), json: false },
    }
}

fn pili() -> PiliConfig {
    PiliConfig {
        hub: "hub".to_owned(),
        room_token_expire_s: 3600,
        playback_url: "https://playback.example".to_owned(),
        security_type: SecurityType::ExpirySk,
        publish_key: Secret::default(),
        publish_expire_s: 7200,
        stream_pattern: "live-%s".to_owned(),
        publish_url: String::new(),
        publish_domain: "publish.example".to_owned(),
        rtmp_play_url: "rtmp://rtmp.example".to_owned(),
        flv_play_url: "https://flv.example".to_owned(),
        hls_play_url: "https://hls.example".to_owned(),
        media_url: String::new(),
    }
}

fn cache(database: Option<&str>) -> CacheConfig {
    let Some(name) = database else { return CacheConfig::Memory };
    let address = std::env::var("LIVELOOM_TEST_REDIS").expect("LIVELOOM_TEST_REDIS is set by `make test`");
    CacheConfig::Node(RedisConfig {
        addrs: vec![address],
        key_prefix: format!("{name}:"),
        ..RedisConfig::default()
    })
}

fn database_config(name: &str) -> DatabaseConfig {
    let [host, port, username, password] = mysql();
    DatabaseConfig {
        host,
        port: port.parse().expect("a port"),
        username,
        password: Secret::new(password),
        database: name.to_owned(),
        max_idle_conns: 4,
        max_open_conns: 16,
        conn_max_life_time: 600,
        default: "live".to_owned(),
        read_only: false,
        loc: chrono_tz::Asia::Shanghai,
    }
}

/// Host, port, user and password of the test database server.
fn mysql() -> [String; 4] {
    let text = std::env::var("LIVELOOM_TEST_MYSQL").expect("LIVELOOM_TEST_MYSQL is set by `make test`");
    let parts: Vec<String> = text.splitn(4, ':').map(str::to_owned).collect();
    parts.try_into().expect("host:port:user:password")
}

fn mysql_url(database: &str) -> String {
    let [host, port, user, password] = mysql();
    format!("mysql://{user}:{password}@{host}:{port}/{database}")
}

async fn create_database() -> String {
    let name = super::world::unique("suite_");
    execute(&mysql_url(""), &format!("CREATE DATABASE {name}")).await;
    name
}

async fn execute(url: &str, statement: &str) {
    let connection = Database::connect(url).await.expect("a connection");
    connection.execute_unprepared(statement).await.expect("the statement is done");
    connection.close().await.expect("closed");
}
