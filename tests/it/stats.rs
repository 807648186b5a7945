//! Counts that are written many at a time.

use common::clock::{Clock, SystemClock};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use store::db::{Added, Db, StoreError};
use store::entity::stats_single_live;
use store::statistics::{self, CountKey, CountRow, KnownRows, Merge, Statistic};

use crate::support::database::TestDatabase;

async fn put(db: &Db, known: &KnownRows, merge: Merge, counts: &[(&str, i64)]) {
    let key = |user_id| CountKey { statistic: Statistic::Item, live_id: "1", user_id, biz_id: "a" };
    let rows: Vec<CountRow<'_>> =
        counts.iter().map(|(user_id, count)| CountRow { key: key(*user_id), count: *count }).collect();
    statistics::put_all(db, db.writer(), known, merge, &rows, SystemClock.now()).await.unwrap();
}

async fn counts(db: &Db) -> Vec<(String, i32)> {
    let rows = stats_single_live::Entity::find().all(db.writer()).await.unwrap();
    let mut counts: Vec<_> = rows.into_iter().map(|row| (row.user_id.unwrap(), row.count.unwrap())).collect();
    counts.sort();
    counts
}

/// The id that the table, on MariaDB, gives to its next row.
pub async fn next_id(db: &Db) -> u64 {
    let sql = "SELECT AUTO_INCREMENT AS next FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_name = 'stats_single_live'";
    let asked = Statement::from_string(db.dialect().backend(), sql);
    db.writer().query_one_raw(asked).await.unwrap().unwrap().try_get("", "next").unwrap()
}

#[rstest]
#[tokio::test]
async fn sums_stop_at_what_the_column_holds(#[values(false, true)] is_embedded: bool) {
    let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
    let db = database.migrated().await;
    let known = KnownRows::default();
    let expect = async |expected: &[(&str, i32)]| {
        let expected: Vec<_> = expected.iter().map(|(user, count)| ((*user).to_owned(), *count)).collect();
        assert_eq!(counts(&db).await, expected);
    };
    put(&db, &known, Merge::Add, &[("b", 2), ("a", 1)]).await;
    put(&db, &known, Merge::Add, &[("b", i64::from(i32::MAX) - 3), ("c", i64::MAX)]).await;
    expect(&[("a", 1), ("b", i32::MAX - 1), ("c", i32::MAX)]).await;
    put(&db, &known, Merge::Add, &[("a", 5), ("b", 1000), ("c", 1000)]).await;
    expect(&[("a", 6), ("b", i32::MAX), ("c", i32::MAX)]).await;
    put(&db, &known, Merge::Raise, &[("a", 4), ("d", 3)]).await;
    expect(&[("a", 6), ("b", i32::MAX), ("c", i32::MAX), ("d", 3)]).await;
    put(&db, &known, Merge::Raise, &[("a", 40), ("d", 4)]).await;
    expect(&[("a", 40), ("b", i32::MAX), ("c", i32::MAX), ("d", 4)]).await;
}

#[rstest]
#[tokio::test]
async fn one_count_stops_as_well(#[values(false, true)] is_embedded: bool) {
    let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
    let db = database.migrated().await;
    let key = CountKey { statistic: Statistic::Gift, live_id: "1", user_id: "a", biz_id: "anchor" };
    let known = KnownRows::default();
    for _ in 0..3 {
        let by = std::num::NonZeroI64::new(1_000_000_000).unwrap();
        statistics::add(&db, db.writer(), &known, key, by, SystemClock.now()).await.unwrap();
    }
    assert_eq!(counts(&db).await, [("a".to_owned(), i32::MAX)]);
}

#[rstest]
#[case("utf8mb4", "utf8mb4_bin")]
#[case("utf8mb4", "utf8mb4_unicode_ci")]
#[case("utf8mb3", "utf8mb3_general_ci")]
#[case("latin1", "latin1_swedish_ci")]
#[tokio::test]
async fn counts_that_are_there_use_up_no_ids(#[case] charset: &str, #[case] collation: &str) {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let convert =
        format!("ALTER TABLE stats_single_live CONVERT TO CHARACTER SET {charset} COLLATE {collation}");
    db.writer().execute_unprepared(&convert).await.unwrap();
    let known = KnownRows::default();
    put(&db, &known, Merge::Add, &[("a", 1), ("é\"\\", 2)]).await;
    let key = CountKey { statistic: Statistic::Gift, live_id: "1", user_id: "z", biz_id: "anchor" };
    let by = std::num::NonZeroI64::new(5).unwrap();
    let add = async || statistics::add(&db, db.writer(), &known, key, by, SystemClock.now()).await.unwrap();
    assert_eq!(add().await, Added::Inserted);
    let next = next_id(&db).await;
    for _ in 0..3 {
        put(&db, &known, Merge::Add, &[("a", 9), ("é\"\\", 10)]).await;
        put(&db, &known, Merge::Raise, &[("a", 10), ("é\"\\", 1)]).await;
        assert_eq!(add().await, Added::Increased);
    }
    assert_eq!(next_id(&db).await, next);
    let expected = [("a", 28), ("z", 20), ("é\"\\", 32)].map(|(user, count)| (user.to_owned(), count));
    assert_eq!(counts(&db).await, expected);
}

#[tokio::test]
async fn counts_that_have_gone_are_put_again_once() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let known = KnownRows::default();
    let key = |user_id| CountKey { statistic: Statistic::Item, live_id: "1", user_id, biz_id: "a" };
    let by = std::num::NonZeroI64::new(5).unwrap();
    put(&db, &known, Merge::Add, &[("a", 1), ("b", 1), ("c", 1)]).await;
    let gone = "DELETE FROM stats_single_live WHERE user_id IN ('b', 'c')";
    db.writer().execute_unprepared(gone).await.unwrap();
    let added = statistics::add(&db, db.writer(), &known, key("c"), by, SystemClock.now()).await.unwrap();
    assert_eq!(added, Added::Inserted);
    let rows = ["a", "b", "c"].map(|user_id| CountRow { key: key(user_id), count: 10 });
    let adding = db.transaction(|tx| {
        let (db, known, rows) = (&db, &known, &rows);
        Box::pin(async move {
            statistics::put_all(db, tx, known, Merge::Add, rows, SystemClock.now()).await?;
            Ok::<_, StoreError>(())
        })
    });
    adding.await.unwrap();
    let expected = [("a", 11), ("b", 10), ("c", 15)].map(|(user, count)| (user.to_owned(), count));
    assert_eq!(counts(&db).await, expected);
}

/// Users whose ids the column takes for one share a row.
#[tokio::test]
async fn counts_that_share_a_row_are_raised_to_the_larger() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let convert = "ALTER TABLE stats_single_live CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";
    db.writer().execute_unprepared(convert).await.unwrap();
    let known = KnownRows::default();
    for count in 1..4 {
        put(&db, &known, Merge::Raise, &[("Ann", count), ("ann", count * 10)]).await;
        assert_eq!(counts(&db).await, [("Ann".to_owned(), i32::try_from(count * 10).unwrap())]);
    }
}
