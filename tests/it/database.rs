//! The database store, on an embedded file and on MariaDB.
#![allow(clippy::panic)]

pub mod adoption;
mod dialects;
mod faults;
mod metrics;
mod old_schema;
mod replicas;
mod schema;
mod server;
mod transactions;

use std::future::Future;
use std::time::Duration;

use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use store::db::Db;

use crate::support::database::TestDatabase;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backend {
    MySql,
    Sqlite,
}

/// How many steps the schema has: one file each.
fn steps() -> usize {
    let files = std::fs::read_dir("migrations/src/steps").unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name() != "mod.rs").count()
}

impl Backend {
    async fn database(self) -> TestDatabase {
        match self {
            Self::MySql => TestDatabase::create().await,
            Self::Sqlite => TestDatabase::embedded(),
        }
    }
}

/// The whole number in the first column of the only row.
async fn number(conn: &impl ConnectionTrait, sql: &str) -> i64 {
    let asked = Statement::from_string(conn.get_database_backend(), sql);
    let row = conn.query_one_raw(asked).await.expect(sql).expect("a row");
    row.try_get_by_index(0).expect("a whole number")
}

/// Asks until the answer is yes, or fails.
async fn eventually<F: Future<Output = bool>>(limit: Duration, what: &str, mut ask: impl FnMut() -> F) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"));
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn clones_share_one_store_which_closes_for_all(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.connect().await;
    let clone: Db = db.clone();
    db.ping().await.unwrap();
    db.close().await;
    clone.ping().await.expect_err("closed");
}
