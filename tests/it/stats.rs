//! Counts that are written many at a time.

use liveloom::clock::{Clock, SystemClock};
use liveloom::store::db::Db;
use liveloom::store::entity::stats_single_live;
use liveloom::store::statistics::{self, CountKey, CountRow, Merge, Statistic};
use rstest::rstest;
use sea_orm::EntityTrait;

use crate::support::database::TestDatabase;

async fn put(db: &Db, merge: Merge, counts: &[(&str, i64)]) {
    let key = |user_id| CountKey { statistic: Statistic::Item, live_id: "1", user_id, biz_id: "a" };
    let rows: Vec<CountRow<'_>> =
        counts.iter().map(|(user_id, count)| CountRow { key: key(*user_id), count: *count }).collect();
    statistics::put_all(db, db.writer(), merge, &rows, SystemClock.now()).await.unwrap();
}

async fn counts(db: &Db) -> Vec<(String, i32)> {
    let rows = stats_single_live::Entity::find().all(db.writer()).await.unwrap();
    let mut counts: Vec<_> = rows.into_iter().map(|row| (row.user_id.unwrap(), row.count.unwrap())).collect();
    counts.sort();
    counts
}

#[rstest]
#[tokio::test]
async fn sums_stop_at_what_the_column_holds(#[values(false, true)] is_embedded: bool) {
    let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
    let db = database.migrated().await;
    let expect = async |expected: &[(&str, i32)]| {
        let expected: Vec<_> = expected.iter().map(|(user, count)| ((*user).to_owned(), *count)).collect();
        assert_eq!(counts(&db).await, expected);
    };
    put(&db, Merge::Add, &[("b", 2), ("a", 1)]).await;
    put(&db, Merge::Add, &[("b", i64::from(i32::MAX) - 3), ("c", i64::MAX)]).await;
    expect(&[("a", 1), ("b", i32::MAX - 1), ("c", i32::MAX)]).await;
    put(&db, Merge::Add, &[("a", 5), ("b", 1000), ("c", 1000)]).await;
    expect(&[("a", 6), ("b", i32::MAX), ("c", i32::MAX)]).await;
    put(&db, Merge::Raise, &[("a", 4), ("d", 3)]).await;
    expect(&[("a", 6), ("b", i32::MAX), ("c", i32::MAX), ("d", 3)]).await;
    put(&db, Merge::Raise, &[("a", 40), ("d", 4)]).await;
    expect(&[("a", 40), ("b", i32::MAX), ("c", i32::MAX), ("d", 4)]).await;
}

#[rstest]
#[tokio::test]
async fn one_count_stops_as_well(#[values(false, true)] is_embedded: bool) {
    let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
    let db = database.migrated().await;
    let key = CountKey { statistic: Statistic::Gift, live_id: "1", user_id: "a", biz_id: "anchor" };
    for _ in 0..3 {
        let by = std::num::NonZeroI64::new(1_000_000_000).unwrap();
        statistics::add(&db, db.writer(), key, by, SystemClock.now()).await.unwrap();
    }
    assert_eq!(counts(&db).await, [("a".to_owned(), i32::MAX)]);
}
