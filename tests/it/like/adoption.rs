//! Going on where a QNLiveKit_Server stopped.

use config::CacheConfig;
use rstest::rstest;
use sea_orm::{ActiveValue::Set, EntityTrait};
use store::entity::live_like_flush;

use super::bed::Node;
use crate::cache::backend::config;
use crate::support::database::TestDatabase;
use crate::support::fence::{FormerLeader, Leader};
use crate::support::redis::RedisServer;

/// Counts likes as the old server does.
fn old_like(server: &RedisServer, prefix: &str, live_id: &str, user_id: &str, count: i64, second: i64) {
    let key = |name: String| format!("{prefix}{name}");
    let count = count.to_string();
    let hash = key(format!("like:{live_id}"));
    let _: i64 = server.run(&["HINCRBY", &hash, user_id, &count]);
    let _: i64 = server.run(&["EXPIRE", &hash, "604800"]);
    let _: i64 = server.run(&["HINCRBY", &hash, "_", &count]);
    let _: i64 = server.run(&["SADD", &key(format!("like_rooms:{second}")), live_id]);
    let _: i64 = server.run(&["SADD", &key(format!("like_users:{live_id}:{second}")), user_id]);
}

async fn progress(node: &Node) -> Vec<(u32, u32)> {
    let rows = live_like_flush::Entity::find().all(node.db.writer()).await.unwrap();
    rows.into_iter().map(|row| (row.id, row.last_update_time)).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_of_the_old_server_are_taken_over_once(#[values("", "demo:")] prefix: &str) {
    let server = RedisServer::start(&[]);
    let database = TestDatabase::create().await;
    let mut redis = config(vec![server.addr()]);
    redis.key_prefix = prefix.to_owned();
    let node = Node::start(&database, &CacheConfig::Node(redis), 1).await;
    let live_id = node.room(&["ann", "bob", "cyd"]).await;
    let now = chrono::Utc::now().timestamp();
    let last = now - 1000;
    let row =
        live_like_flush::ActiveModel { id: Set(1), last_update_time: Set(u32::try_from(last).unwrap()) };
    live_like_flush::Entity::insert(row).exec_without_returning(node.db.writer()).await.unwrap();
    // Written, waiting, and waiting beyond what the table has.
    node.store(&live_id, "ann", 3).await;
    node.store(&live_id, "cyd", 2).await;
    old_like(&server, prefix, &live_id, "ann", 3, last - 60);
    old_like(&server, prefix, &live_id, "bob", 4, last + 1);
    old_like(&server, prefix, &live_id, "cyd", 5, now);

    assert!(node.likes.adopt(&FormerLeader).await.is_err(), "only the leader notes it");
    assert_eq!(progress(&node).await.len(), 1);
    node.likes.adopt(&Leader).await.unwrap();
    node.likes.flush(Some(&Leader)).await.unwrap();
    let stored = [("ann", 3), ("bob", 4), ("cyd", 5)].map(|(user, count)| (user.to_owned(), count));
    assert_eq!(node.stored(&live_id).await, stored);
    assert_eq!(node.give(&live_id, "ann", 1).await, (4, 13), "it goes on in the same hash");

    // Once: sets that appear afterwards are nobody's.
    node.likes.flush(Some(&Leader)).await.unwrap();
    let rows = progress(&node).await;
    assert!(rows.len() == 2 && rows[0].1 == rows[1].1 && i64::from(rows[0].1) >= now, "{rows:?}");
    let _: i64 = server.run(&["SADD", &format!("{prefix}like_rooms:{now}"), &live_id]);
    let _: i64 = server.run(&["SADD", &format!("{prefix}like_users:{live_id}:{now}"), "bob"]);
    assert_eq!(node.likes.adopt(&Leader).await.unwrap(), 0);
    assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_to_the_old_server_and_forth_is_noticed() {
    let server = RedisServer::start(&[]);
    let database = TestDatabase::create().await;
    let cache = CacheConfig::Node(config(vec![server.addr()]));
    let CacheConfig::Node(redis) = &cache else { unreachable!() };
    let prefix = redis.key_prefix.clone();
    let node = Node::start(&database, &cache, 1).await;
    let live_id = node.room(&["ann"]).await;
    node.likes.keep(&Leader).await.unwrap();
    assert_eq!(progress(&node).await, [], "nothing is noted before the old likes are taken over");
    node.likes.adopt(&Leader).await.unwrap();
    node.give(&live_id, "ann", 1).await;
    node.likes.keep(&Leader).await.unwrap();
    // The old server runs for a while.
    let now = chrono::Utc::now().timestamp();
    let row =
        live_like_flush::ActiveModel { id: Set(1), last_update_time: Set(u32::try_from(now).unwrap() - 7) };
    live_like_flush::Entity::update(row).exec(node.db.writer()).await.unwrap();
    old_like(&server, &prefix, &live_id, "ann", 2, now);
    assert_eq!(node.likes.adopt(&Leader).await.unwrap(), 0, "ann's mark stands already");
    node.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(node.stored(&live_id).await, [("ann".to_owned(), 3)]);
    let rows = progress(&node).await;
    assert!(rows[0].1 == rows[1].1 && i64::from(rows[0].1) >= now, "{rows:?}");
}
