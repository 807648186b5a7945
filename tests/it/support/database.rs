//! Databases that belong to one test.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono_tz::Asia::Shanghai;
use common::clock::SystemClock;
use config::{DatabaseConfig, LimitsConfig, MysqlConfig, Secret};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor, Row};
use store::db::{Db, SQLITE_FILE, StoreError};

/// The server that MySQL tests use, from `LIVELOOM_TEST_MYSQL` (`host:port:user:password`).
#[derive(Clone, Debug)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
}

impl Server {
    /// Reads the variable.
    pub fn of_environment() -> Self {
        let text = std::env::var("LIVELOOM_TEST_MYSQL")
            .expect("LIVELOOM_TEST_MYSQL=host:port:user:password is not set; `make test` sets it");
        let mut parts = text.splitn(4, ':').map(str::to_owned);
        let mut next = || parts.next().expect("LIVELOOM_TEST_MYSQL has four parts");
        let (host, port, user, password) = (next(), next(), next(), next());
        Self { host, port: port.parse().expect("a port"), user, password }
    }

    fn options(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .timezone(None)
    }
}

/// An empty database of its own: a schema that is dropped with this value, or a folder.
pub struct TestDatabase {
    dir: tempfile::TempDir,
    schema: Option<(Server, String)>,
    /// Whether the schema goes with this value.
    is_own: bool,
}

impl TestDatabase {
    /// A fresh schema on the test server.
    pub async fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = Server::of_environment();
        let name = format!("liveloom_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut conn = server.options().connect().await.expect("the test server answers");
        // The collation of old installations: upper and lower case are the same.
        let sql = format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
        conn.execute(sqlx::AssertSqlSafe(sql)).await.expect("a schema can be created");
        Self { dir: tempfile::tempdir().unwrap(), schema: Some((server, name)), is_own: true }
    }

    /// A folder for an embedded database.
    pub fn embedded() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), schema: None, is_own: true }
    }

    /// A schema of another server, which stays.
    pub fn existing(server: Server, schema: String) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), schema: Some((server, schema)), is_own: false }
    }

    /// The data directory of a server that uses it.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The schema's name; empty for an embedded one.
    pub fn schema(&self) -> &str {
        self.schema.as_ref().map_or("", |(_, name)| name)
    }

    /// `mysql` of a configuration that leads here.
    pub fn config(&self) -> MysqlConfig {
        MysqlConfig { databases: self.entry().into_iter().collect() }
    }

    /// The one entry of [`TestDatabase::config`]; None for an embedded one.
    pub fn entry(&self) -> Option<DatabaseConfig> {
        let (server, name) = self.schema.as_ref()?;
        Some(DatabaseConfig {
            host: server.host.clone(),
            port: server.port,
            username: server.user.clone(),
            password: Secret::new(server.password.clone()),
            database: name.clone(),
            max_idle_conns: 4,
            max_open_conns: 8,
            conn_max_life_time: 60,
            default: "live".to_owned(),
            read_only: false,
            loc: Shanghai,
            ..DatabaseConfig::default()
        })
    }

    /// The store over it, as it is.
    pub async fn connect(&self) -> Db {
        self.open(&self.config()).await.expect("the test database opens")
    }

    /// The store over it, with all tables.
    pub async fn migrated(&self) -> Db {
        let db = self.connect().await;
        db.migrate().await.expect("the tables are made");
        db
    }

    /// The store over other entries, with this folder.
    pub async fn open(&self, mysql: &MysqlConfig) -> Result<Db, StoreError> {
        let limits = LimitsConfig { replica_lag_s: 2, ..LimitsConfig::default() };
        Db::connect(mysql, self.data_dir(), &limits, Arc::new(SystemClock)).await
    }

    /// A connection of the test's own, past the store.
    pub async fn mysql(&self) -> MySqlConnection {
        let (server, name) = self.schema.as_ref().expect("a MySQL schema");
        server.options().database(name).connect().await.expect("the test server answers")
    }

    /// What a query answers, past the store; its columns must be texts.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        if self.schema.is_some() {
            texts(self.mysql().await.fetch_all(sql).await.expect("an answer"))
        } else {
            texts(self.sqlite().await.fetch_all(sql).await.expect("an answer"))
        }
    }

    /// A connection of the test's own to an embedded file, past the store.
    pub async fn sqlite(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.data_dir().join(SQLITE_FILE));
        options.connect().await.expect("the file opens")
    }
}

fn texts<R: Row>(rows: Vec<R>) -> Vec<Vec<Option<String>>>
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> Option<String>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.schema.take().filter(|_| self.is_own) else { return };
        // Not on the test's runtime, which may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut conn = server.options().connect().await?;
                conn.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE `{name}`"))).await?;
                conn.close().await
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("a test schema could not be dropped");
        }
    }
}
