//! Numbers for the IM: never twice, and above what an adopted database holds.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, EntityTrait};
use store::db::Db;
use store::entity::id_sequence;
use store::sequence::Sequence;

use crate::support::database::TestDatabase;

async fn two_nodes_share_a_counter(db: Db) {
    let (one, two) = (Sequence::new(db.clone(), "im"), Sequence::new(db.clone(), "im"));
    let mut seen = HashSet::new();
    for _ in 0..1_500 {
        let (a, b) = tokio::join!(one.next(), two.next());
        assert!(seen.insert(a.unwrap()) && seen.insert(b.unwrap()));
    }
    assert_eq!(seen.iter().min(), Some(&100_001));
    // Two blocks each: numbers do not cost a statement each.
    let row = id_sequence::Entity::find().one(db.writer()).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.next_id), ("im", 104_001));
    let restarted = Sequence::new(db, "im");
    assert_eq!(restarted.next().await.unwrap(), 104_001);
}

async fn it_starts_above_stored_ids(db: Db) {
    let conn = db.writer();
    conn.execute_unprepared(
        "INSERT INTO live_users (user_id, im_userid) VALUES ('a', 7000000001), ('b', NULL)",
    )
    .await
    .unwrap();
    // Not a number of ours: it must not use up all that are left.
    let foreign = (1_i64 << 53) - 2;
    let sql =
        format!("INSERT INTO live_entities (live_id, chat_id) VALUES ('1', 7000000009), ('2', {foreign})");
    conn.execute_unprepared(&sql).await.unwrap();
    assert_eq!(Sequence::new(db, "im").next().await.unwrap(), 7_000_000_010);
}

async fn a_counter_that_is_used_up_says_so(db: Db) {
    let sql = format!("INSERT INTO id_sequence (name, next_id) VALUES ('im', {})", (1_i64 << 53) - 1500);
    db.writer().execute_unprepared(&sql).await.unwrap();
    let sequence = Sequence::new(db, "im");
    for _ in 0..1000 {
        sequence.next().await.unwrap();
    }
    assert!(sequence.next().await.unwrap_err().to_string().contains("used up"));
}

#[tokio::test]
async fn shared_on_mysql() {
    let database = TestDatabase::create().await;
    two_nodes_share_a_counter(database.migrated().await).await;
}

#[tokio::test]
async fn shared_on_sqlite() {
    let database = TestDatabase::embedded();
    two_nodes_share_a_counter(database.migrated().await).await;
}

#[tokio::test]
async fn adopted_on_mysql() {
    let database = TestDatabase::create().await;
    it_starts_above_stored_ids(database.migrated().await).await;
}

#[tokio::test]
async fn adopted_on_sqlite() {
    let database = TestDatabase::embedded();
    it_starts_above_stored_ids(database.migrated().await).await;
}

#[tokio::test]
async fn used_up_on_mysql() {
    let database = TestDatabase::create().await;
    a_counter_that_is_used_up_says_so(database.migrated().await).await;
}

#[tokio::test]
async fn used_up_on_sqlite() {
    let database = TestDatabase::embedded();
    a_counter_that_is_used_up_says_so(database.migrated().await).await;
}
