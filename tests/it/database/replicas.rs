//! Reading from copies: in turn, and only from those that are up and recent. A second schema
//! plays the copy; the test itself plays replication by writing its heartbeat row.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use sqlx::{AssertSqlSafe, Executor};
use store::db::Db;

use super::eventually;
use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::database::{Server, TestDatabase};
use crate::support::metrics::told;

const SOON: Duration = Duration::from_secs(6);

async fn schema_of(db: &Db, fresh: bool) -> String {
    let asked = Statement::from_string(db.dialect().backend(), "SELECT DATABASE()");
    let row = db.reader_for(fresh).query_one_raw(asked).await;
    row.ok().flatten().map(|row| row.try_get_by_index(0).unwrap()).unwrap_or_default()
}

/// The schemas that the next reads go to.
async fn read_from(db: &Db) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        seen.insert(schema_of(db, false).await);
    }
    seen
}

/// "Replicates" the heartbeat to `copy` as if it lagged `lag` seconds.
async fn beat(copy: &TestDatabase, lag: i64) {
    let sql = format!(
        "REPLACE INTO replica_heartbeat (id, beat_ms) VALUES \
         (1, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) - {lag} * 1000)"
    );
    copy.mysql().await.execute(AssertSqlSafe(sql)).await.unwrap();
}

async fn copy() -> TestDatabase {
    let copy = TestDatabase::create().await;
    copy.migrated().await.close().await;
    copy
}

async fn reads_only(db: &Db, copies: &[(&TestDatabase, i64)], from: &[&TestDatabase]) {
    let wanted: BTreeSet<String> = from.iter().map(|database| database.schema().to_owned()).collect();
    eventually(SOON, &format!("reading from {wanted:?} only"), || async {
        for (copy, lag) in copies {
            beat(copy, *lag).await;
        }
        read_from(db).await == wanted
    })
    .await;
}

#[tokio::test]
async fn copies_take_turns_while_they_are_recent_and_up() {
    let (writer, near, far) = (TestDatabase::create().await, copy().await, copy().await);
    let server = Server::of_environment();
    let proxy = ChaosProxy::start(format!("{}:{}", server.host, server.port)).await.unwrap();
    let mut mysql = writer.config();
    let [mut first, mut second] = [near.entry().unwrap(), far.entry().unwrap()];
    first.read_only = true;
    second.read_only = true;
    "127.0.0.1".clone_into(&mut second.host);
    second.port = proxy.port();
    mysql.databases.extend([first, second]);
    let db = writer.open(&mysql).await.unwrap();
    let registry = prometheus::Registry::new();
    db.register(&registry).unwrap();
    let lagged = || {
        let labels = [("reason", "replica_lags")];
        told(&registry, "liveloom_database_writer_reads_total", &labels).unwrap()
    };
    assert_eq!(read_from(&db).await, BTreeSet::from([writer.schema().to_owned()]), "no heartbeat yet");
    db.migrate().await.unwrap();

    reads_only(&db, &[(&near, 0), (&far, 0)], &[&near, &far]).await;
    assert_eq!(schema_of(&db, true).await, writer.schema(), "one's own writes are read where they were made");
    // More than the bound of two seconds.
    reads_only(&db, &[(&near, 0), (&far, 5)], &[&near]).await;
    let before = lagged();
    reads_only(&db, &[(&near, 5), (&far, 5)], &[&writer]).await;
    assert!(lagged() >= before + 6.0, "reads that the copies lag too much for");
    let lag = told(&registry, "liveloom_database_replica_lag_seconds", &[]).unwrap();
    assert!((9.0..20.0).contains(&lag), "both lag by five seconds: {lag}");
    reads_only(&db, &[(&near, 0), (&far, 0)], &[&near, &far]).await;
    proxy.set(Mode::Reset);
    reads_only(&db, &[(&near, 0), (&far, 0)], &[&near]).await;
    proxy.set(Mode::Pass);
    reads_only(&db, &[(&near, 0), (&far, 0)], &[&near, &far]).await;
    proxy.set(Mode::Swallow);
    reads_only(&db, &[(&near, 0), (&far, 0)], &[&near]).await;
}
