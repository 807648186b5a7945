//! A database server that is not as ours are: with TLS, and with an SQL mode that changes what statements mean.

use std::net::SocketAddr;

use config::{DatabaseConfig, MysqlConfig, MysqlTls};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, Statement};
use store::db::Db;
use store::entity::live_entities::{ActiveModel, Column, Entity};
use testbed::MariaDb;

use crate::support::certificates::{Authority, Files, text};
use crate::support::database::TestDatabase;
use crate::support::server::free_port;

/// What the modes of servers may hold: `"` is a name, `\` a letter, `||` CONCAT, an empty text NULL, and texts
/// that are too long are cut.
const ODD_MODE: &str = "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY,\
    HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH";

/// A server whose certificate is good for `names`, and who does without TLS when there is none.
struct Server {
    maria: MariaDb,
    _folder: tempfile::TempDir,
    database: TestDatabase,
}

impl Server {
    async fn start(certificate: Option<(&Authority, &Files)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        testbed::install("server", folder.path()).await.unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut options = vec![ODD_MODE.to_owned(), "--innodb-flush-method=nosync".to_owned()];
        if let Some((authority, files)) = certificate {
            options.extend([
                format!("--ssl-ca={}", text(&authority.file())),
                format!("--ssl-cert={}", text(&files.cert)),
                format!("--ssl-key={}", text(&files.key)),
            ]);
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let maria = MariaDb::new("server", folder.path(), addr, "odd", &options);
        maria.daemon.start().await.unwrap();
        maria.create_account().await.unwrap();
        Self { maria, _folder: folder, database: TestDatabase::embedded() }
    }

    fn entry(&self, host: &str, tls: MysqlTls, authority: Option<&Authority>) -> DatabaseConfig {
        DatabaseConfig {
            host: host.to_owned(),
            port: self.maria.addr.port(),
            username: "odd".to_owned(),
            password: config::Secret::new("odd"),
            database: "odd".to_owned(),
            tls,
            tls_ca: authority.map(Authority::file),
            ..DatabaseConfig::default()
        }
    }

    /// The store, or why it does not open.
    async fn open(&self, entry: DatabaseConfig) -> Result<Db, String> {
        let mysql = MysqlConfig { databases: vec![entry] };
        self.database.open(&mysql).await.map_err(|error| error.to_string())
    }
}

async fn is_encrypted(db: &Db) -> bool {
    let sql =
        "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'SSL_CIPHER'";
    let asked = Statement::from_string(db.dialect().backend(), sql);
    let row = db.writer().query_one_raw(asked).await.unwrap().unwrap();
    !row.try_get_by_index::<String>(0).unwrap().is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_as_strict_as_it_is_told() {
    let (authority, other) = (Authority::new(), Authority::new());
    // Good for localhost only, so that the address is a wrong name.
    let files = authority.issue("server", &["localhost"]);
    let server = Server::start(Some((&authority, &files))).await;
    for (tls, encrypted) in [(MysqlTls::Off, false), (MysqlTls::Preferred, true), (MysqlTls::Required, true)]
    {
        let db = server.open(server.entry("127.0.0.1", tls, None)).await.unwrap();
        assert_eq!(is_encrypted(&db).await, encrypted, "{tls:?}");
        db.close().await;
    }
    let verified = server.open(server.entry("localhost", MysqlTls::Verify, Some(&authority))).await.unwrap();
    assert!(is_encrypted(&verified).await);
    verified.migrate().await.expect("the connection for the schema is as strict");
    verified.close().await;
    for (what, entry) in [
        ("another name", server.entry("127.0.0.1", MysqlTls::Verify, Some(&authority))),
        ("another authority", server.entry("localhost", MysqlTls::Verify, Some(&other))),
        ("the public authorities", server.entry("localhost", MysqlTls::Verify, None)),
    ] {
        let refused = server.open(entry).await.err().unwrap_or_else(|| panic!("{what} is taken"));
        assert!(refused.contains("cannot open the database"), "{what}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_statements_mean_does_not_depend_on_the_servers_sql_mode() {
    let server = Server::start(None).await;
    for tls in [MysqlTls::Required, MysqlTls::Verify] {
        let refused = server.open(server.entry("127.0.0.1", tls, None)).await.expect_err("there is no TLS");
        assert!(refused.contains("does not support TLS"), "{tls:?}: {refused}");
    }
    let db = server.open(server.entry("127.0.0.1", MysqlTls::Preferred, None)).await.unwrap();
    assert!(!is_encrypted(&db).await);
    db.migrate().await.unwrap();
    let titles = [r"back\slash", "per%cent", "\u{c9}t\u{e9}", "quote\"d", ""];
    for title in titles {
        let row = ActiveModel { title: Set(Some(title.to_owned())), ..Default::default() };
        Entity::insert(row).exec_without_returning(db.writer()).await.unwrap();
    }
    let found = async |prefix: &str| -> Vec<String> {
        let matching = Entity::find().filter(db.dialect().starts_with_folded(Column::Title, prefix));
        let rows = matching.all(db.writer()).await.unwrap();
        rows.into_iter().filter_map(|row| row.title).collect()
    };
    assert_eq!(found(r"BACK\").await, [r"back\slash"]);
    assert_eq!(found("per%").await, ["per%cent"]);
    assert_eq!(found("\u{e9}T").await, ["\u{c9}t\u{e9}"]);
    assert_eq!(found("").await, titles);
    let long = ActiveModel { title: Set(Some("x".repeat(200))), ..Default::default() };
    Entity::insert(long).exec_without_returning(db.writer()).await.expect_err("too long is refused, not cut");
}
