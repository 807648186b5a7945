//! Gifts of a time in a table that has grown: read by the index on the time, a page at a time.

use std::process::Output;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use common::clock::SystemClock;
use liveloom::gift::{Cursor, Entry, Ledger, Metrics, Selection, after_statement, newest_statement};
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use sqlx::{AssertSqlSafe, Executor};
use store::db::{Db, Dialect};

use crate::support::database::TestDatabase;
use crate::support::gift_bed::quick;
use crate::support::server::{Backend, Setup, binary};

/// Gifts in a second, so that pages end within one.
const PER_SECOND: u64 = 7;

/// How many gifts there are in `make test-long`, or else `few`.
fn how_many(few: u64) -> u64 {
    std::env::var("LIVELOOM_GIFTS").ok().map_or(few, |text| text.parse().expect("LIVELOOM_GIFTS is a number"))
}

/// When the first was sent; [`PER_SECOND`] of them follow in each second.
fn begin() -> DateTime<Utc> {
    "2025-01-01T00:00:00Z".parse().unwrap()
}

/// Writes `count` paid gifts, past the store. Every hundredth is a row whose time is unknown.
async fn fill(database: &TestDatabase, dialect: Dialect, count: u64) {
    let columns = "(biz_id, live_id, user_id, anchor_id, gift_id, amount, status, created_at, updated_at)";
    // Wall-clock time in Shanghai.
    let values = |at: &str, text: &str| {
        format!(
            "SELECT {text}, '1', 'u', 'a', 1, 5, 1, CASE WHEN n % 100 = 99 THEN NULL ELSE {at} END, {at} FROM numbers"
        )
    };
    match dialect {
        Dialect::MySql => {
            let at = format!("'2025-01-01 08:00:00' + INTERVAL (n DIV {PER_SECOND}) SECOND");
            let rows =
                values(&at, "CONCAT('b', n)").replace("numbers", "(SELECT seq AS n FROM seq_0_to_LAST) t");
            let rows = rows.replace("LAST", &(count - 1).to_string());
            let mut conn = database.mysql().await;
            conn.execute(AssertSqlSafe(format!("INSERT INTO live_gift {columns} {rows}"))).await.unwrap();
            conn.execute("ANALYZE TABLE live_gift").await.unwrap();
        }
        Dialect::Sqlite => {
            let at = format!("datetime('2025-01-01 08:00:00', '+' || (n / {PER_SECOND}) || ' seconds')");
            let numbers = format!(
                "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})",
                count - 1
            );
            let rows = values(&at, "'b' || n");
            let sql = format!("INSERT INTO live_gift {columns} {numbers} {rows}");
            database.sqlite().await.execute(AssertSqlSafe(sql)).await.unwrap();
        }
    }
}

fn between(first: u64, last: u64) -> Selection {
    let second = |n: u64| begin() + TimeDelta::seconds(i64::try_from(n).unwrap());
    Selection { from: Some(second(first)), to: Some(second(last)), ..Selection::default() }
}

fn ledger(db: &Db) -> Ledger {
    Ledger::new(db.clone(), Arc::new(SystemClock), quick(), Metrics::new().unwrap())
}

/// All of a selection, `size` at a time.
async fn read(ledger: &Ledger, selection: &Selection, size: u64) -> Vec<String> {
    let (mut found, mut last) = (Vec::new(), None);
    loop {
        let page: Vec<Entry> = ledger.after(selection, last, size).await.unwrap();
        last = page.last().map(Cursor::of).or(last);
        let is_last = (page.len() as u64) < size;
        found.extend(page.into_iter().map(|entry| entry.gift.sent.biz_id));
        if is_last {
            return found;
        }
    }
}

/// What was sent in these seconds, in order.
fn expected(seconds: std::ops::Range<u64>) -> Vec<String> {
    let numbers = seconds.start * PER_SECOND..seconds.end * PER_SECOND;
    numbers.filter(|n| n % 100 != 99).map(|n| format!("b{n}")).collect()
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_time_miss_and_repeat_nothing(#[case] backend: Backend) {
    let database = match backend {
        Backend::Embedded => TestDatabase::embedded(),
        Backend::Redis | Backend::RedisCluster => TestDatabase::create().await,
    };
    let db = database.migrated().await;
    fill(&database, db.dialect(), 7_000).await;
    let ledger = ledger(&db);
    for size in [1, 3, 7, 50, 1000] {
        let seconds = if size == 1 { 500..510 } else { 500..600 };
        let selection = between(seconds.start, seconds.end);
        assert_eq!(read(&ledger, &selection, size).await, expected(seconds), "{size} at a time");
    }
    // Without a time all are read, those whose time is unknown too.
    assert_eq!(read(&ledger, &Selection::default(), 999).await.len(), 7_000);
    let since = Selection { to: None, ..between(990, 0) };
    let newest: Vec<String> =
        ledger.newest(&since, 10).await.unwrap().into_iter().map(|entry| entry.gift.sent.biz_id).collect();
    let mut wanted = expected(990..1000);
    wanted.reverse();
    wanted.truncate(10);
    assert_eq!(newest, wanted);
}

/// How the database goes about a statement.
async fn plan(db: &Db, sql: &str) -> String {
    let explain = match db.dialect() {
        Dialect::MySql => format!("EXPLAIN FORMAT=JSON {sql}"),
        Dialect::Sqlite => format!("EXPLAIN QUERY PLAN {sql}"),
    };
    let rows =
        db.reader_for(true).query_all_raw(Statement::from_string(db.dialect().backend(), explain)).await;
    let column = match db.dialect() {
        Dialect::MySql => 0,
        Dialect::Sqlite => 3,
    };
    let lines = rows.unwrap().into_iter().map(|row| row.try_get_by_index::<String>(column).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// A late second of many, where a reader by rows would have to pass all the others.
#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_is_found_by_its_index(#[case] backend: Backend) {
    let database = match backend {
        Backend::Embedded => TestDatabase::embedded(),
        Backend::Redis | Backend::RedisCluster => TestDatabase::create().await,
    };
    let db = database.migrated().await;
    fill(&database, db.dialect(), 20_000).await;
    let name = match db.dialect() {
        Dialect::MySql => "\"key\": \"idx_created_at\"",
        Dialect::Sqlite => "USING INDEX live_gift_idx_created_at",
    };
    let last = Cursor { at: Some(begin() + TimeDelta::seconds(1400)), row_id: 9_801 };
    let since = Selection { to: None, ..between(2000, 0) };
    for (what, statement) in [
        ("the first page", after_statement(&db, &between(1400, 1500), None, 1000)),
        ("a further page", after_statement(&db, &between(1400, 1500), Some(last), 1000)),
        ("a further page of a long time", after_statement(&db, &between(0, 2800), Some(last), 1000)),
        ("the newest since", newest_statement(&db, &since, 50)),
    ] {
        let sql = statement.to_string();
        let plan = plan(&db, &sql).await;
        assert!(plan.contains(name), "{what}: {sql}\n{plan}");
        let sorts = ["filesort", "TEMP B-TREE", "index_merge", "MULTI-INDEX"];
        assert!(sorts.iter().all(|word| !plan.contains(word)), "{what}: {sql}\n{plan}");
    }
}

/// In `make test-long` with 3,000,000 gifts: no statement may take longer than it is given.
#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_a_late_time_is_complete_however_large_the_table_is(#[case] backend: Backend) {
    let count = how_many(30_000);
    let setup = Setup::new(backend).await;
    let database = setup.database();
    let db = database.migrated().await;
    fill(&database, db.dialect(), count).await;
    db.close().await;
    let (config, overlay) = setup.write();
    let run = |arguments: &[&str]| -> Output {
        binary(arguments).arg("--config").arg(&config).arg("-e").arg(&overlay).output().unwrap()
    };
    let (last, length) = (count / PER_SECOND, (count / PER_SECOND).min(3000));
    let time = |second: u64| (begin() + TimeDelta::seconds(i64::try_from(second).unwrap())).to_rfc3339();
    for start in [last - length, last / 2] {
        let (from, to) = (time(start), time(start + length));
        let output = run(&["gifts", "export", "--from", &from, "--to", &to]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
        let exported: Vec<String> = reader.records().map(|record| record.unwrap()[1].to_owned()).collect();
        let wanted = expected(start..start + length);
        let wanted: Vec<String> =
            wanted.into_iter().filter(|id| id[1..].parse::<u64>().unwrap() < count).collect();
        assert!(exported == wanted, "{} of {} gifts", exported.len(), wanted.len());
    }
    for since in [time(last - 5), time(last / 2)] {
        let output = run(&["gifts", "list", "--since", &since, "--limit", "20", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(listed.len(), 20);
    }
    for status in ["paid", "refused", "waiting"] {
        let output = run(&["gifts", "list", "--status", status, "--json"]);
        assert!(output.status.success(), "{status}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
