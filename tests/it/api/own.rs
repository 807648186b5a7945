//! Servers of our own in this process, one backend each.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use config::*;
use liveloom::app::{Application, Control};
use sqlx::Executor;
use tokio::sync::oneshot;

use super::NotApplicable;
use super::client::Api;
use super::ledger::Ledger;
use super::target::Target;
use super::world::eventually;
use crate::support::database::TestDatabase;
use crate::support::fake_payment::FakePayment;
use crate::support::fake_review::FakeReview;

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
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
    /// Removed when it is dropped.
    database: TestDatabase,
    review: Arc<FakeReview>,
}

const ADMIN: (&str, &str) = ("suite admin", "suite password");
/// Keys of business backends, of the account, and of client tokens.
const SERVER: (&str, &str) = ("suite-ak", "suite-sk");
pub const STREAM: (&str, &str) = ("stream-ak", "stream-sk");
const JWT_KEY: &str = "suite-jwt-key-of-32-bytes-or-more";

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
    let database = match backend {
        Backend::Embedded => TestDatabase::embedded(),
        Backend::MariaDbAndRedis => TestDatabase::create().await,
    };
    let payer = Arc::new(FakePayment::start().await);
    let mut config = config(&database);
    // The payer shares this process with all the cases: what it does well must never seem late.
    config.gift = GiftConfig { timeout_s: 10, ..payer.config() };
    let review = Arc::new(FakeReview::start(STREAM).await);
    config.censor = review.config();
    change(&mut config);
    let (ready, told) = oneshot::channel();
    let thread = thread::spawn(move || run(config, ready));
    let Running { address, metrics, stop } = told.await.expect("the server starts");
    let target = Target {
        base_url: format!("http://{address}"),
        access_key: SERVER.0.to_owned(),
        secret_key: SERVER.1.to_owned(),
        jwt_key: Some(JWT_KEY.to_owned()),
        stream_keys: Some((STREAM.0.to_owned(), STREAM.1.to_owned())),
        admin: Some((ADMIN.0.to_owned(), ADMIN.1.to_owned())),
        metrics_url: metrics.map(|metrics| format!("http://{metrics}/metrics")),
        payer: Some(payer),
    };
    let server = OwnServer { target, backend, ledger, stop, thread, database, review };
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
    stop: oneshot::Sender<()>,
}

/// Builds and runs the server on this thread until it is told to stop.
fn run(config: Config, ready: oneshot::Sender<Running>) {
    actix_web::rt::System::new().block_on(async move {
        let application = Application::build(config).await.expect("the server is built");
        let (address, metrics) = (application.addr(), application.metrics_addr());
        let (stop, stopped) = oneshot::channel();
        let _ = ready.send(Running { address, metrics, stop });
        let govern = async |control: Rc<Control>| {
            // Also when nobody is left who could ask for it.
            let _ = stopped.await;
            control.stop().await;
        };
        application.run_until_stopped(govern).await.expect("the server runs");
    });
}

impl OwnServer {
    /// A client of this server.
    pub fn api(&self) -> Api {
        let mut api = Api::with_ledger(self.target.clone(), Some(self.backend), Arc::clone(&self.ledger));
        api.review = Some(Arc::clone(&self.review));
        api
    }

    /// Stops the server and removes its database.
    pub async fn stop(self) {
        // Who has ended already need not be told.
        let _ = self.stop.send(());
        tokio::task::spawn_blocking(|| self.thread.join())
            .await
            .expect("joined")
            .expect("the server ends well");
        drop(self.database);
    }

    /// The stored password of the administrator.
    pub async fn admin_password(&self) -> String {
        let select = "SELECT password FROM admin_user WHERE user_id = 'suite-admin'";
        match self.backend {
            Backend::Embedded => {
                sqlx::query_scalar(select).fetch_one(&mut self.database.sqlite().await).await
            }
            Backend::MariaDbAndRedis => {
                sqlx::query_scalar(select).fetch_one(&mut self.database.mysql().await).await
            }
        }
        .expect("the administrator's row")
    }

    /// Whether a room's stream is up, and whose it is.
    pub async fn stream_session(&self, live_id: &str) -> (bool, String) {
        let select = sqlx::AssertSqlSafe(format!(
            "SELECT up, session FROM stream_session WHERE live_id = '{live_id}'"
        ));
        match self.backend {
            Backend::Embedded => sqlx::query_as(select).fetch_one(&mut self.database.sqlite().await).await,
            Backend::MariaDbAndRedis => {
                sqlx::query_as(select).fetch_one(&mut self.database.mysql().await).await
            }
        }
        .expect("the stream's row")
    }

    /// Writes an administrator as the reference did, with a plain password.
    async fn add_admin(&self) {
        let row = format!("'{}', 'suite-admin', '{}'", ADMIN.0, ADMIN.1);
        let insert = format!("INSERT INTO admin_user (user_name, user_id, password) VALUES ({row})");
        self.execute(insert).await;
    }

    /// Runs a statement in the server's database.
    pub async fn execute(&self, sql: String) {
        let sql = sqlx::AssertSqlSafe(sql);
        match self.backend {
            Backend::Embedded => {
                self.database.sqlite().await.execute(sql).await.expect("the statement runs");
            }
            Backend::MariaDbAndRedis => {
                self.database.mysql().await.execute(sql).await.expect("the statement runs");
            }
        }
    }
}

/// The configuration of the suite: signed push URLs, an exporter, rates that never stand in the way.
fn config(database: &TestDatabase) -> Config {
    let mut config = Config::for_testing();
    config.node.data_dir = database.data_dir().to_owned();
    config.account = AccountConfig { access_key: STREAM.0.to_owned(), secret_key: Secret::new(STREAM.1) };
    config.httpq.addr = "127.0.0.1:0".to_owned();
    config.auth.jwt_keys = vec![Secret::new(JWT_KEY)];
    config.auth.server.access_key = SERVER.0.to_owned();
    config.auth.server.secret_key = Secret::new(SERVER.1);
    config.cache = cache(database.schema());
    config.mysql = database.config();
    config.im = ImConfig::Builtin;
    config.rtc.app_id = "rtc-app".to_owned();
    // Nobody listens there: of nobody it is known whether they are online in RTC.
    config.rtc.api_url = "http://127.0.0.1:1".to_owned();
    config.pili = pili(config.pili);
    config.cron = CronConfig { single_task_node: config.node.node_id, lease_s: 10 };
    config.prome = PromeConfig::Exporter { listen_addr: "127.0.0.1:0".to_owned() };
    config.live = LiveConfig { viewer_timeout_s: 120, anchor_timeout_s: 600 };
    config.limits.open_per_s = 500;
    config.limits.login_per_s = 500;
    config.limits.login_failures = 0;
    config.limits.rooms_per_user_h = 0;
    config.limits.writes_per_user_s = 0;
    config
}

fn pili(defaults: PiliConfig) -> PiliConfig {
    PiliConfig {
        hub: "hub".to_owned(),
        security_type: SecurityType::ExpirySk,
        publish_expire_s: 7200,
        stream_pattern: "live-%s".to_owned(),
        publish_domain: "publish.example".to_owned(),
        rtmp_play_url: "rtmp://rtmp.example".to_owned(),
        flv_play_url: "https://flv.example".to_owned(),
        hls_play_url: "https://hls.example".to_owned(),
        playback_url: "https://playback.example/".to_owned(),
        // Nobody listens there: what is to be saved fails, and quickly.
        api_url: "http://127.0.0.1:1".to_owned(),
        ..defaults
    }
}

fn cache(schema: &str) -> CacheConfig {
    if schema.is_empty() {
        return CacheConfig::Memory;
    }
    let address = std::env::var("LIVELOOM_TEST_REDIS").expect("LIVELOOM_TEST_REDIS is set by `make test`");
    let key_prefix = format!("{}:", super::world::unique("suite"));
    CacheConfig::Node(RedisConfig { addrs: vec![address], key_prefix, ..RedisConfig::default() })
}
