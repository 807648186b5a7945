//! What a gift costs the database.

use std::time::Duration;

use liveloom::gift::Pace;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use store::db::Db;

use crate::support::database::TestDatabase;
use crate::support::fake_payment::FakePayment;
use crate::support::gift_bed::{Node, any};
use crate::support::gift_ledgers::agree;

/// Statements that read or wrote rows so far, on the one connection that the store has.
async fn count(db: &Db) -> u64 {
    let sql = "SHOW SESSION STATUS WHERE Variable_name IN \
               ('Com_select', 'Com_insert', 'Com_update', 'Com_delete', 'Com_replace')";
    let rows = db.writer().query_all_raw(Statement::from_string(DbBackend::MySql, sql)).await.unwrap();
    assert_eq!(rows.len(), 5);
    rows.iter().map(|row| row.try_get_by_index::<String>(1).unwrap().parse::<u64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_gift_takes_five_statements() {
    let database = TestDatabase::create().await;
    database.migrated().await.close().await;
    let mut mysql = database.config();
    (mysql.databases[0].max_open_conns, mysql.databases[0].max_idle_conns) = (1, 1);
    let payer = FakePayment::start().await;
    let pace = Pace {
        every: Duration::from_secs(5),
        lease: Duration::from_secs(10),
        give_up: Duration::from_secs(3600),
    };
    let node = Node::start(database.open(&mysql).await.unwrap(), 1, &payer.config(), pace).await;
    let live_id = node.live_room(&["guest"]).await;
    // The look-ups are warm from here on.
    node.gifts.send("guest", any(&live_id, 1), None).await.unwrap();
    let before = count(&node.db).await;
    for amount in 1..=10 {
        node.gifts.send("guest", any(&live_id, amount), None).await.unwrap();
    }
    assert_eq!(count(&node.db).await - before, 50, "five statements for each of ten gifts");
    agree(&database, &payer, &[]).await;
}
