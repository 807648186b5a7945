//! Transactions: commit, rollback, and another try when another one was in the way.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::failure::{Failure, Kind};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use sqlx::Executor;
use store::db::{Db, StoreError, Tx};
use tokio::sync::Barrier;

use super::{Backend, number};

const COUNT: &str = "SELECT COUNT(*) FROM id_sequence";

async fn add(tx: &Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute_unprepared(&format!("INSERT INTO id_sequence (name, next_id) VALUES ('{name}', 1)")).await?;
    Ok(())
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn commits_all_or_nothing(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    // Borrowed by the work, as features do with their arguments.
    let names = vec!["a".to_owned(), "b".to_owned()];
    let done: Result<usize, StoreError> = db
        .transaction(|tx| {
            Box::pin(async {
                for name in &names {
                    add(tx, name).await?;
                }
                Ok(names.len())
            })
        })
        .await;
    assert_eq!(done.unwrap(), 2);
    let failed: Result<(), StoreError> = db
        .transaction(|tx| {
            Box::pin(async move {
                add(tx, "c").await?;
                add(tx, "a").await
            })
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Duplicate { .. })), "{failed:?}");
    assert_eq!(number(db.writer(), COUNT).await, 2);
    assert_eq!(number(db.reader(), COUNT).await, 2);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn a_cancelled_transaction_leaves_nothing_and_no_dead_connection(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    for round in 0..20 {
        let (inserted, waiting) = tokio::sync::oneshot::channel();
        let inserted = std::sync::Mutex::new(Some(inserted));
        let endless = db.transaction::<(), StoreError, _>(|tx| {
            Box::pin(async {
                add(tx, &format!("row{round}")).await?;
                inserted.lock().unwrap().take().unwrap().send(()).unwrap();
                std::future::pending().await
            })
        });
        tokio::select! {
            _ = endless => panic!("it does not end"),
            told = waiting => told.unwrap(),
        }
        // More rounds than the pool has connections: each has to be given up at once.
    }
    assert_eq!(number(db.writer(), COUNT).await, 0);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn gives_up_after_three_tries(#[case] backend: Backend) {
    let database = backend.database().await;
    let db = database.migrated().await;
    let tries = AtomicU32::new(0);
    let outcome: Result<(), StoreError> = db
        .transaction(|tx| {
            Box::pin(async {
                add(tx, "a").await?;
                tries.fetch_add(1, Ordering::Relaxed);
                Err(StoreError::Contended { reason: "test".to_owned() })
            })
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    assert_eq!(number(db.writer(), COUNT).await, 0);
}

/// Adds one to both counters, in the order asked for; on the first try it waits in the middle
/// until the other one is there too.
async fn count_both(db: &Db, order: [&str; 2], meet: &Barrier, tries: &AtomicU32) -> Result<(), StoreError> {
    db.transaction(|tx| {
        Box::pin(async move {
            let first = tries.fetch_add(1, Ordering::Relaxed) == 0;
            let bump =
                |name: &str| format!("UPDATE id_sequence SET next_id = next_id + 1 WHERE name = '{name}'");
            tx.execute_unprepared(&bump(order[0])).await?;
            if first {
                meet.wait().await;
            }
            tx.execute_unprepared(&bump(order[1])).await?;
            Ok::<_, StoreError>(())
        })
    })
    .await
}

#[tokio::test]
async fn a_deadlock_is_solved_by_another_try() {
    let database = Backend::MySql.database().await;
    let db = database.migrated().await;
    db.writer().execute_unprepared("INSERT INTO id_sequence VALUES ('a', 0), ('b', 0)").await.unwrap();
    let (meet, left, right) = (Barrier::new(2), AtomicU32::new(0), AtomicU32::new(0));
    let (one, other) =
        tokio::join!(count_both(&db, ["a", "b"], &meet, &left), count_both(&db, ["b", "a"], &meet, &right),);
    one.unwrap();
    other.unwrap();
    let tries = left.load(Ordering::Relaxed) + right.load(Ordering::Relaxed);
    assert_eq!(tries, 3, "one of the two was done again");
    assert_eq!(number(db.writer(), "SELECT CAST(SUM(next_id) AS SIGNED) FROM id_sequence").await, 4);
}

#[tokio::test]
async fn a_row_lock_is_waited_for_and_then_tried_again() {
    let database = Backend::MySql.database().await;
    let db = database.migrated().await;
    db.writer().execute_unprepared("INSERT INTO id_sequence VALUES ('a', 0)").await.unwrap();
    let mut holder = database.mysql().await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("UPDATE id_sequence SET next_id = 5 WHERE name = 'a'").await.unwrap();
    let tries = AtomicU32::new(0);
    let bump = db.transaction::<_, feature::Error, _>(|tx| {
        Box::pin(async {
            tries.fetch_add(1, Ordering::Relaxed);
            let sql = "UPDATE id_sequence SET next_id = next_id + 1 WHERE name = 'a'";
            tx.execute_unprepared(sql).await.map_err(StoreError::from)?;
            Ok(())
        })
    });
    tokio::pin!(bump);
    let second_try = super::eventually(Duration::from_secs(2), "a second try", || async {
        tries.load(Ordering::Relaxed) == 2
    });
    tokio::select! {
        _ = &mut bump => panic!("the lock is held"),
        () = second_try => {}
    }
    holder.execute("COMMIT").await.unwrap();
    bump.await.unwrap();
    assert_eq!(number(db.writer(), "SELECT next_id FROM id_sequence").await, 6);
}

mod feature {
    use store::db::{RetryableError, StoreError};

    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error(transparent)]
        Store(#[from] StoreError),
    }

    impl RetryableError for Error {
        fn is_retryable(&self) -> bool {
            let Self::Store(error) = self;
            error.is_retryable()
        }
    }
}

#[tokio::test]
async fn a_busy_file_is_waited_for_and_then_tried_again() {
    let database = Backend::Sqlite.database().await;
    let db = database.migrated().await;
    let mut holder = database.sqlite().await;
    holder.execute("BEGIN IMMEDIATE").await.unwrap();
    let work = db.transaction(|tx| Box::pin(add(tx, "a")));
    tokio::pin!(work);
    // Longer than the busy time-out of one try.
    let early = tokio::time::timeout(Duration::from_millis(1150), &mut work).await;
    early.expect_err("the file is locked");
    holder.execute("COMMIT").await.unwrap();
    work.await.unwrap();
    assert_eq!(number(db.writer(), COUNT).await, 1);
}

#[tokio::test]
async fn a_file_that_stays_busy_is_reported_as_unavailable() {
    let database = Backend::Sqlite.database().await;
    let db = database.migrated().await;
    let mut holder = database.sqlite().await;
    holder.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = db.transaction(|tx| Box::pin(add(tx, "a"))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert_eq!(number(db.reader(), COUNT).await, 0);
}

#[tokio::test]
async fn only_a_lazy_transaction_does_not_wait_for_the_disk() {
    let database = Backend::Sqlite.database().await;
    let db = database.migrated().await;
    const ASK: &str = "PRAGMA synchronous";
    for gives_up in [false, true] {
        let done = db.lazy_transaction(|tx| {
            Box::pin(async move {
                assert_eq!(number(tx, ASK).await, 1, "NORMAL");
                if gives_up { Err(StoreError::Setup("given up".into())) } else { Ok(()) }
            })
        });
        assert_eq!(done.await.is_err(), gives_up);
        assert_eq!(number(db.writer(), ASK).await, 2, "FULL");
    }
}

/// As many such transactions as connections would wait for each other.
#[cfg(debug_assertions)]
#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::MySql)]
#[tokio::test]
async fn who_asks_for_a_second_connection_or_a_look_up_inside_a_transaction_is_found_out(
    #[case] backend: Backend,
) {
    use store::lookup::Lookup;

    let database = backend.database().await;
    let db = database.migrated().await;
    let rows: Lookup<i64> = Lookup::new(10, Duration::from_secs(60));
    rows.get("known", async { Ok(Some(1)) }).await.unwrap();
    let ways = ["writer", "reader", "transaction", "look-up"];
    for way in ways {
        let (db, rows) = (db.clone(), rows.clone());
        let asked = tokio::spawn(async move {
            db.transaction(|tx| {
                let (db, rows) = (&db, &rows);
                Box::pin(async move {
                    tx.execute_unprepared("SELECT 1").await?;
                    match way {
                        "writer" => db.ping().await,
                        "reader" => db
                            .reader_for(true)
                            .execute_unprepared("SELECT 1")
                            .await
                            .map(drop)
                            .map_err(StoreError::from),
                        "transaction" => db.transaction(|tx| Box::pin(add(tx, "inner"))).await,
                        // It is in memory: another time it is not.
                        _ => rows
                            .get("known", async { Ok(Some(1)) })
                            .await
                            .map(drop)
                            .map_err(|_| StoreError::Setup(String::new())),
                    }
                })
            })
            .await
        });
        let panicked = asked.await.expect_err(way);
        assert!(panicked.is_panic(), "{way}");
    }
    assert_eq!(number(db.writer(), COUNT).await, 0);

    // Beside a transaction, in the same task, everybody may ask.
    let (begun, wait) = tokio::sync::oneshot::channel();
    let begun = std::sync::Mutex::new(Some(begun));
    let meet = Barrier::new(2);
    let working = db.transaction(|tx| {
        let (begun, meet) = (&begun, &meet);
        Box::pin(async move {
            add(tx, "outer").await?;
            begun.lock().unwrap().take().unwrap().send(()).unwrap();
            meet.wait().await;
            Ok::<_, StoreError>(())
        })
    });
    let beside = async {
        wait.await.unwrap();
        rows.get("known", async { Ok(None) }).await.unwrap();
        db.reader().execute_unprepared("SELECT 1").await.unwrap();
        meet.wait().await;
    };
    let (done, ()) = tokio::join!(working, beside);
    done.unwrap();
    assert_eq!(number(db.writer(), COUNT).await, 1);
}

/// Longer than a connection is waited for when none comes back.
#[tokio::test]
async fn a_rush_is_served_in_turn_and_not_refused() {
    let database = Backend::MySql.database().await;
    let mut config = database.config();
    config.databases.iter_mut().for_each(|entry| (entry.max_open_conns, entry.max_idle_conns) = (1, 1));
    let db = database.open(&config).await.unwrap();
    let begun = std::time::Instant::now();
    let asked = (0..24).map(|_| db.writer().execute_unprepared("SELECT SLEEP(0.1)"));
    let refused: Vec<_> =
        futures_util::future::join_all(asked).await.into_iter().filter_map(Result::err).collect();
    assert!(refused.is_empty(), "{} of 24: {:?}", refused.len(), refused[0]);
    assert!(begun.elapsed() > db.dialect().statement_limit());
}
