//! What the databases tell about themselves.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use store::db::{Db, StoreError, WriterRead, reading_own_writes};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::faults::behind_proxy;
use super::{Backend, eventually};
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::database::{Server, TestDatabase};
use crate::support::metrics::told;

const SOON: Duration = Duration::from_secs(20);

fn registry_of(db: &Db) -> Registry {
    let registry = Registry::new();
    db.register(&registry).unwrap();
    registry
}

/// The sum over `liveloom_database_<name>` with these labels; 0 when nothing is shown.
fn of(registry: &Registry, name: &str, labels: &[(&str, &str)]) -> f64 {
    told(registry, &format!("liveloom_database_{name}"), labels).unwrap_or_default()
}

/// Holds so many transactions open until `release` has as many permits.
fn hold(db: &Db, count: usize, release: &Arc<Semaphore>) -> Vec<JoinHandle<Result<(), StoreError>>> {
    let hold = |_| {
        let (db, release) = (db.clone(), Arc::clone(release));
        tokio::spawn(async move {
            db.transaction(|_| {
                Box::pin(async {
                    release.acquire().await.unwrap().forget();
                    Ok::<_, StoreError>(())
                })
            })
            .await
        })
    };
    (0..count).map(hold).collect()
}

#[rstest]
#[case::mysql(Backend::MySql)]
#[case::embedded(Backend::Sqlite)]
#[tokio::test]
async fn a_pool_tells_of_its_connections_and_of_who_waits_for_one(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.connect().await;
    let registry = registry_of(&db);
    let writer = |name, labels: &[_]| of(&registry, name, &[labels, &[("role", "writer")]].concat());
    let limit = writer("connections_limit", &[]);
    assert_eq!(limit, if backend == Backend::MySql { 8.0 } else { 1.0 });

    let release = Arc::new(Semaphore::new(0));
    let held = hold(&db, held_by(limit), &release);
    let asking = db.clone();
    let asking = tokio::spawn(async move { while asking.ping().await.is_err() {} });
    eventually(SOON, "all are in use, and one statement waits", || async {
        writer("connections", &[("state", "in_use")]) == limit && writer("waiting", &[]) == 1.0
    })
    .await;
    let before = writer("wait_seconds_sum", &[]);
    release.add_permits(held.len());
    for held in held {
        held.await.unwrap().unwrap();
    }
    asking.await.unwrap();
    assert!(writer("wait_seconds_sum", &[]) > before, "the wait is measured");
    eventually(SOON, "none is in use", || async {
        writer("connections", &[("state", "in_use")]) == 0.0 && writer("waiting", &[]) == 0.0
    })
    .await;
    assert!(writer("connections", &[("state", "idle")]) >= 1.0);
    let is_embedded = backend == Backend::Sqlite;
    assert_eq!(of(&registry, "connections_limit", &[("role", "reader")]) > 0.0, is_embedded);
    assert!(db.is_up());
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn held_by(limit: f64) -> usize {
    limit as usize
}

#[rstest]
#[case::mysql(Backend::MySql)]
#[case::embedded(Backend::Sqlite)]
#[tokio::test]
async fn what_a_database_refuses_is_counted_by_its_kind(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    let registry = registry_of(&db);
    let errors = |kind| of(&registry, "errors_total", &[("role", "writer"), ("kind", kind)]);
    let before = ["deadline", "unreachable", "deadlock", "duplicate", "other"].map(errors);
    let insert = "INSERT INTO id_sequence VALUES ('a', 1)";
    db.writer().execute_unprepared(insert).await.unwrap();
    db.writer().execute_unprepared(insert).await.unwrap_err();
    db.writer().execute_unprepared("SELECT nonsense").await.unwrap_err();
    let after = ["deadline", "unreachable", "deadlock", "duplicate", "other"].map(errors);
    let more: Vec<_> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(more, [0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(of(&registry, "up", &[("role", "writer")]), 1.0, "it answers");
    assert!(db.is_up());
}

#[rstest]
#[case::mysql(Backend::MySql)]
#[case::embedded(Backend::Sqlite)]
#[tokio::test]
async fn a_transaction_that_is_done_again_is_counted(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.connect().await;
    let registry = registry_of(&db);
    let tried = Arc::new(Semaphore::new(0));
    let work = db.transaction(|_| {
        let tried = Arc::clone(&tried);
        Box::pin(async move {
            tried.add_permits(1);
            if tried.available_permits() > 1 {
                Ok(())
            } else {
                Err(StoreError::Contended { reason: "-".into() })
            }
        })
    });
    work.await.unwrap();
    assert_eq!(of(&registry, "retries_total", &[("role", "writer")]), 1.0);
}

#[tokio::test]
async fn a_lock_that_is_not_given_up_is_counted_as_a_deadlock() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let registry = registry_of(&db);
    db.writer().execute_unprepared("INSERT INTO id_sequence VALUES ('a', 1)").await.unwrap();
    let release = Arc::new(Semaphore::new(0));
    let change = |waits: bool| {
        let (db, release) = (db.clone(), Arc::clone(&release));
        let work = async move {
            db.transaction(|tx| {
                let release = Arc::clone(&release);
                Box::pin(async move {
                    tx.execute_unprepared("UPDATE id_sequence SET name = 'a'").await?;
                    if waits {
                        release.acquire().await.unwrap().forget();
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
        };
        tokio::spawn(work)
    };
    let holder = change(true);
    eventually(SOON, "another waits in vain", || async {
        // Whichever came first holds the row.
        let _ = change(false).await.unwrap();
        of(&registry, "errors_total", &[("kind", "deadlock")]) > 0.0
    })
    .await;
    release.add_permits(1);
    holder.await.unwrap().unwrap();
}

#[rstest]
#[case(Mode::Swallow)]
#[case(Mode::Reset)]
#[tokio::test]
async fn a_database_that_is_away_is_told_of(#[case] mode: Mode) {
    let (_database, proxy, db) = behind_proxy().await;
    let registry = registry_of(&db);
    let away = || {
        let kind = |kind| of(&registry, "errors_total", &[("role", "writer"), ("kind", kind)]);
        kind("deadline") + kind("unreachable")
    };
    assert!(db.is_up() && away() == 0.0);
    proxy.set(mode);
    eventually(SOON, "it is taken for down", || async {
        let _ = db.ping().await;
        !db.is_up()
    })
    .await;
    assert!(away() > 0.0);
    assert_eq!(of(&registry, "up", &[("role", "writer")]), 0.0);
    proxy.set(Mode::Pass);
    eventually(SOON, "it is there again", || async { db.ping().await.is_ok() && db.is_up() }).await;
}

#[tokio::test]
async fn reads_that_copies_did_not_get_are_counted_by_why() {
    let (writer, server) = (TestDatabase::create().await, Server::of_environment());
    writer.migrated().await.close().await;
    let proxy = ChaosProxy::start(format!("{}:{}", server.host, server.port)).await.unwrap();
    let (mut mysql, mut copy) = (writer.config(), writer.entry().unwrap());
    "127.0.0.1".clone_into(&mut copy.host);
    (copy.port, copy.read_only) = (proxy.port(), true);
    let place = format!("127.0.0.1:{}/{}", copy.port, copy.database);
    mysql.databases.push(copy);
    let db = writer.open(&mysql).await.unwrap();
    let registry = registry_of(&db);
    let reads = |reason| of(&registry, "writer_reads_total", &[("reason", reason)]);
    let copy = |name| told(&registry, &format!("liveloom_database_{name}"), &[("database", &place)]);
    eventually(SOON, "the copy is read", || async { copy("replica_usable") == Some(1.0) }).await;
    assert!(copy("replica_lag_seconds").unwrap() < 3.0, "it lags by a beat at most");
    let from_start = reads("replica_down");
    let _ = db.reader();
    assert_eq!(["own_write", "cache_away", "replica_lags"].map(reads), [0.0; 3], "the copy answers");
    assert_eq!(reads("replica_down"), from_start);

    reading_own_writes(WriterRead::OwnWrite, async { _ = db.reader() }).await;
    reading_own_writes(WriterRead::CacheAway, async { _ = db.reader() }).await;
    assert_eq!(["own_write", "cache_away", "replica_lags"].map(reads), [1.0, 1.0, 0.0]);

    proxy.set(Mode::Reset);
    eventually(SOON, "the copy is passed over", || async {
        let _ = db.reader();
        copy("replica_usable") == Some(0.0) && reads("replica_down") > from_start
    })
    .await;
    eventually(SOON, "what it has grows old", || async { copy("replica_lag_seconds").unwrap() > 3.0 }).await;
    assert_eq!(reads("replica_lags"), 0.0, "it is away, and not known to lag");
}
