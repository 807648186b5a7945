//! A database that is cut off, slow, or not there.

use std::time::{Duration, Instant};

use common::failure::{Failure, Kind};
use config::{MysqlConfig, Secret};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use store::db::{Db, StoreError};

use super::{Backend, eventually, number};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::database::{Server, TestDatabase};

/// What a request may take that fails, and what recovery may take.
const PROMISED: Duration = Duration::from_secs(2);

pub(super) async fn behind_proxy() -> (TestDatabase, ChaosProxy, Db) {
    let database = TestDatabase::create().await;
    let server = Server::of_environment();
    let proxy = ChaosProxy::start(format!("{}:{}", server.host, server.port)).await.unwrap();
    let mut mysql = database.config();
    "127.0.0.1".clone_into(&mut mysql.databases[0].host);
    mysql.databases[0].port = proxy.port();
    let db = database.open(&mysql).await.unwrap();
    (database, proxy, db)
}

/// Several requests at once, so that the pool is full of connections.
async fn burst(db: &Db, count: usize) -> Vec<Result<(), StoreError>> {
    let ask = async || {
        db.writer().execute_unprepared("DO SLEEP(0.05)").await?;
        Ok(())
    };
    futures_util::future::join_all((0..count).map(|_| ask())).await
}

#[rstest]
#[case(Mode::Swallow)]
#[case(Mode::Reset)]
#[tokio::test]
async fn a_database_cut_off_fails_fast_and_comes_back(#[case] mode: Mode) {
    let (_database, proxy, db) = behind_proxy().await;
    for answered in burst(&db, 8).await {
        answered.unwrap();
    }
    proxy.set(mode);
    for _ in 0..3 {
        let begun = Instant::now();
        for answered in burst(&db, 20).await {
            let error = answered.unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        }
        assert!(begun.elapsed() < PROMISED, "{:?}", begun.elapsed());
        let begun = Instant::now();
        let refused = db.transaction::<(), StoreError, _>(|_| Box::pin(async { Ok(()) })).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Unavailable);
        assert!(begun.elapsed() < PROMISED, "{:?}", begun.elapsed());
    }
    proxy.set(Mode::Pass);
    let begun = Instant::now();
    eventually(PROMISED, "an answer", || async { db.ping().await.is_ok() }).await;
    for answered in burst(&db, 20).await {
        answered.unwrap();
    }
    assert!(begun.elapsed() < PROMISED, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_statement_caught_by_the_cut_ends_in_time_and_its_transaction_is_undone() {
    let (_database, proxy, db) = behind_proxy().await;
    db.migrate().await.unwrap();
    let begun = Instant::now();
    let failed = db
        .transaction::<(), StoreError, _>(|tx| {
            Box::pin(async {
                tx.execute_unprepared("INSERT INTO id_sequence VALUES ('a', 1)").await?;
                proxy.set(Mode::Swallow);
                tx.execute_unprepared("INSERT INTO id_sequence VALUES ('b', 1)").await?;
                Ok(())
            })
        })
        .await;
    assert_eq!(failed.unwrap_err().kind(), Kind::Unavailable);
    assert!(begun.elapsed() < PROMISED, "{:?}", begun.elapsed());
    proxy.set(Mode::Reset);
    proxy.set(Mode::Pass);
    let count = "SELECT COUNT(*) FROM id_sequence";
    eventually(PROMISED, "an answer", || async { db.ping().await.is_ok() }).await;
    assert_eq!(number(db.writer(), count).await, 0);
}

#[tokio::test]
async fn idle_connections_that_died_unnoticed_cost_nothing() {
    let (_database, proxy, db) = behind_proxy().await;
    for answered in burst(&db, 8).await {
        answered.unwrap();
    }
    proxy.set(Mode::Reset);
    proxy.set(Mode::Pass);
    // Past the time in which a connection is trusted without a ping.
    let idle = Instant::now();
    eventually(PROMISED, "a pause", || async { idle.elapsed() > Duration::from_millis(1100) }).await;
    for answered in burst(&db, 8).await {
        answered.unwrap();
    }
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_deadline_and_frees_its_place() {
    let database = TestDatabase::create().await;
    let mut mysql = database.config();
    mysql.databases[0].max_open_conns = 1;
    let db = database.open(&mysql).await.unwrap();
    let begun = Instant::now();
    let error = StoreError::from(db.writer().execute_unprepared("DO SLEEP(10)").await.unwrap_err());
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(begun.elapsed() < PROMISED, "{:?}", begun.elapsed());
    let begun = Instant::now();
    db.ping().await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_cancelled_request_frees_its_place() {
    let database = TestDatabase::create().await;
    let mut mysql = database.config();
    mysql.databases[0].max_open_conns = 1;
    let db = database.open(&mysql).await.unwrap();
    for _ in 0..5 {
        let slow = db.writer().execute_unprepared("DO SLEEP(10)");
        tokio::time::timeout(Duration::from_millis(30), slow).await.expect_err("cancelled");
        db.ping().await.unwrap();
    }
}

async fn refusal(database: &TestDatabase, mysql: &MysqlConfig) -> String {
    let begun = Instant::now();
    let error = database.open(mysql).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let text = error.to_string();
    assert!(!text.contains('\n') && !text.contains("s3cret"), "{text}");
    text
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named_on_one_line() {
    let database = TestDatabase::create().await;
    let good = database.entry().unwrap();
    let with = |change: &dyn Fn(&mut config::DatabaseConfig)| {
        let mut entry = good.clone();
        change(&mut entry);
        MysqlConfig { databases: vec![entry] }
    };
    let wrong = with(&|entry| entry.password = Secret::new("s3cret"));
    let text = refusal(&database, &wrong).await;
    assert!(text.contains("Access denied") && text.contains(&good.database), "{text}");
    let text = refusal(&database, &with(&|entry| entry.database.push_str("_gone"))).await;
    assert!(text.contains("Unknown database") || text.contains("Access denied"), "{text}");
    let text = refusal(&database, &with(&|entry| entry.port = 1)).await;
    assert!(text.contains(":1/"), "{text}");
    let text = refusal(&database, &with(&|entry| entry.read_only = true)).await;
    assert!(text.contains("no entry is writable"), "{text}");
    let text = refusal(&database, &MysqlConfig { databases: vec![good.clone(), good.clone()] }).await;
    assert!(text.contains("more than one entry is writable"), "{text}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named_on_one_line() {
    let database = Backend::Sqlite.database().await;
    std::fs::write(database.data_dir().join("lock"), "").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let limits = config::LimitsConfig::default();
    let clock = std::sync::Arc::new(common::clock::SystemClock);
    let error = Db::connect(&MysqlConfig::default(), file.path(), &limits, clock).await.unwrap_err();
    assert!(error.to_string().contains("node.data_dir"), "{error}");
    database.connect().await;
}
