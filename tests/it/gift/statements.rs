//! What a gift costs the database.

use std::time::Duration;

use liveloom::gift::Pace;
use sqlx::{Executor, Row};

use crate::support::database::TestDatabase;
use crate::support::fake_payment::FakePayment;
use crate::support::gift_bed::{Node, any};
use crate::support::gift_ledgers::agree;

/// Statements that read or write rows, of one user of MariaDB, so that other tests do not count.
async fn count(database: &TestDatabase, user: &str) -> u64 {
    let mut conn = database.mysql().await;
    let sql = format!(
        "SELECT CAST(SELECT_COMMANDS + UPDATE_COMMANDS AS UNSIGNED) FROM information_schema.USER_STATISTICS \
         WHERE USER = '{user}'"
    );
    conn.fetch_one(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_gift_takes_five_statements() {
    let database = TestDatabase::create().await;
    database.migrated().await.close().await;
    let user = database.schema().to_owned();
    for sql in [
        "SET GLOBAL userstat = 1".to_owned(),
        format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'counted'"),
        format!("GRANT ALL ON `{user}`.* TO '{user}'@'%'"),
    ] {
        database.mysql().await.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    let mut mysql = database.config();
    mysql.databases[0].username = user.clone();
    mysql.databases[0].password = liveloom::config::Secret::new("counted");
    let payer = FakePayment::start().await;
    let pace = Pace {
        every: Duration::from_secs(5),
        lease: Duration::from_secs(10),
        give_up: Duration::from_secs(3600),
    };
    let db = database.open(&mysql).await.unwrap();
    let node = Node::start(db, 1, &payer.config(), pace).await;
    let live_id = node.live_room(&["guest"]).await;
    // The look-ups are warm, and each statement is prepared.
    node.gifts.send("guest", any(&live_id, 1), None, "r").await.unwrap();
    let before = count(&database, &user).await;
    for amount in 1..=10 {
        node.gifts.send("guest", any(&live_id, amount), None, "r").await.unwrap();
    }
    let per_gift = (count(&database, &user).await - before) as f64 / 10.0;
    assert!((4.0..=5.0).contains(&per_gift), "{per_gift} statements for a gift");
    agree(&database, &payer, &[]).await;
    database.mysql().await.execute(sqlx::AssertSqlSafe(format!("DROP USER '{user}'@'%'"))).await.unwrap();
}
