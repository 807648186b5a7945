//! Counting likes and writing them.

use std::time::Duration;

use config::CacheConfig;
use futures_util::future::join_all;
use liveloom::jobs::lease::LeaderLease;
use liveloom::like::Error;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use store::cache::{Like, LikeSeed, Liked, UserLikes};
use store::db::Db;
use store::fence::LeaseLost;

use super::bed::{Node, redis, redis_cluster};
use crate::stats;
use crate::support::database::TestDatabase;
use crate::support::fence::{FormerLeader, Leader};
use crate::support::redis::RedisServer;
use crate::support::wait::wait_until;

const VIEWERS: [&str; 3] = ["ann", "bob", "cyd"];
const SOON: Duration = Duration::from_secs(20);

/// The kinds of cache.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Memory,
    Redis,
    Cluster,
}

impl Kind {
    async fn start(self) -> (TestDatabase, Node, CacheConfig) {
        let (database, cache) = match self {
            Self::Memory => (TestDatabase::embedded(), CacheConfig::Memory),
            Self::Redis => (TestDatabase::create().await, redis()),
            Self::Cluster => (TestDatabase::create().await, redis_cluster()),
        };
        let node = Node::start(&database, &cache, 1).await;
        (database, node, cache)
    }
}

fn rows(rows: &[(&str, i32)]) -> Vec<(String, i32)> {
    rows.iter().map(|(user, count)| ((*user).to_owned(), *count)).collect()
}

#[rstest]
#[case::memory(Kind::Memory)]
#[case::redis(Kind::Redis)]
#[case::cluster(Kind::Cluster)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_are_counted_on_what_is_stored_and_written(#[case] kind: Kind) {
    let (_database, node, _) = kind.start().await;
    let live_id = node.room(&VIEWERS).await;
    node.store(&live_id, "bob", 40).await;
    assert_eq!(node.give(&live_id, "ann", 1).await, (1, 41));
    assert_eq!(node.give(&live_id, "ann", 2).await, (3, 43));
    assert_eq!(node.give(&live_id, "bob", 1000).await, (1040, 1043));
    node.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", 3), ("bob", 1040)]));
    assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 0, "nothing is written twice");
    assert_eq!(node.give(&live_id, "ann", 1).await, (4, 1044));
    node.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", 4), ("bob", 1040)]));
}

#[rstest]
#[case::memory(Kind::Memory)]
#[case::redis(Kind::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_others_who_are_in_the_room_may_like(#[case] kind: Kind) {
    let (_database, node, _) = kind.start().await;
    let live_id = node.room(&["ann"]).await;
    let anchor = node.lives.room(&live_id).await.unwrap().anchor_id.clone();
    assert!(matches!(node.likes.give(&live_id, &anchor, 1).await, Err(Error::OwnRoom)));
    assert!(matches!(node.likes.give(&live_id, "stranger", 1).await, Err(Error::NotInRoom)));
    assert!(matches!(node.likes.give("nope", "ann", 1).await, Err(Error::Live(_))));
    // Known to the table alone, as after a loss of the cache.
    node.cache.leave(&live_id, "ann").await.unwrap();
    assert_eq!(node.give(&live_id, "ann", 2).await, (2, 2));
    node.lives.leave(&live_id, "ann").await.unwrap();
    assert!(matches!(node.likes.give(&live_id, "ann", 1).await, Err(Error::NotInRoom)));
}

#[rstest]
#[case::memory(Kind::Memory)]
#[case::redis(Kind::Redis)]
#[case::cluster(Kind::Cluster)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_of_all_acknowledged_likes_is_the_total(#[case] kind: Kind) {
    let (database, one, cache) = kind.start().await;
    let live_id = one.room(&VIEWERS).await;
    one.store(&live_id, "ann", 7).await;
    let two = match kind {
        Kind::Memory => None,
        _ => Some(Node::start(&database, &cache, 2).await),
    };
    let nodes = [&one, two.as_ref().unwrap_or(&one)];
    let giving = (0..120).map(|number: usize| nodes[number % 2].give(&live_id, VIEWERS[number % 3], 3));
    let flushing = async {
        for _ in 0..5 {
            nodes[1].likes.flush(Some(&Leader)).await.unwrap();
        }
    };
    let (totals, ()) = futures_util::join!(join_all(giving), flushing);
    assert_eq!(totals.iter().map(|(_, total)| *total).max(), Some(367));
    one.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(one.stored(&live_id).await, rows(&[("ann", 127), ("bob", 120), ("cyd", 120)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_like_is_stored_when_it_is_acknowledged_by_a_process_that_is_alone() {
    let (_database, node, _) = Kind::Memory.start().await;
    let live_id = node.room(&VIEWERS).await;
    let given = join_all((0..60).map(|number: usize| node.give(&live_id, VIEWERS[number % 3], 1))).await;
    assert_eq!(given.len(), 60);
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", 20), ("bob", 20), ("cyd", 20)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_is_seeded_and_nothing_becomes_smaller() {
    let server = RedisServer::start(&[]);
    let database = TestDatabase::create().await;
    let cache = CacheConfig::Node(crate::cache::backend::config(vec![server.addr()]));
    let node = Node::start(&database, &cache, 1).await;
    let live_id = node.room(&VIEWERS).await;
    node.give(&live_id, "ann", 10).await;
    node.give(&live_id, "bob", 5).await;
    node.likes.flush(Some(&Leader)).await.unwrap();
    // Acknowledged, and lost with the Redis, which promises no more.
    node.give(&live_id, "ann", 1).await;
    server.kill();
    assert!(matches!(node.likes.give(&live_id, "ann", 1).await, Err(Error::Cache(_))));
    server.up();
    wait_until("likes are counted again", SOON, async || node.likes.give(&live_id, "ann", 1).await.is_ok())
        .await;
    assert_eq!(node.give(&live_id, "bob", 1).await, (6, 17));
    node.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", 11), ("bob", 6)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_smaller_count_is_never_written() {
    let (_database, node, _) = Kind::Redis.start().await;
    let live_id = node.room(&VIEWERS).await;
    node.give(&live_id, "ann", 5).await;
    node.store(&live_id, "ann", 100).await;
    node.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", 100)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_stop_at_the_width_of_the_column() {
    let (_database, node, _) = Kind::Redis.start().await;
    let live_id = node.room(&VIEWERS).await;
    node.store(&live_id, "ann", i32::MAX - 1).await;
    assert_eq!(node.give(&live_id, "ann", 1000).await.0, i64::from(i32::MAX) + 999);
    node.likes.flush(Some(&Leader)).await.unwrap();
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", i32::MAX)]));
    assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_leader_writes_nothing_late() {
    let (_database, node, _) = Kind::Redis.start().await;
    let live_id = node.room(&VIEWERS).await;
    node.give(&live_id, "ann", 5).await;
    let refused = node.likes.flush(Some(&FormerLeader)).await;
    assert!(matches!(refused, Err(Error::LeaseLost(LeaseLost::Lost))), "{refused:?}");
    assert_eq!(node.stored(&live_id).await, []);
    assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 1, "the mark still stands");
    assert_eq!(node.stored(&live_id).await, rows(&[("ann", 5)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_are_written_across_a_change_of_the_leader() {
    let (database, one, cache) = Kind::Redis.start().await;
    let two = Node::start(&database, &cache, 2).await;
    let live_id = one.room(&VIEWERS).await;
    let lease = |node: &Node, node_id| {
        let short = Duration::from_millis(400);
        LeaderLease::new(node.db.clone(), node_id, 1, format!("owner-{node_id}"), short)
    };
    let (first, second) = (lease(&one, 1), lease(&two, 3));
    assert!(first.tick().await.unwrap());
    one.give(&live_id, "ann", 5).await;
    one.likes.flush(Some(&first)).await.unwrap();
    two.give(&live_id, "ann", 1).await;
    // Node 1 is registered, so that another has to wait until its lease is given up for good.
    first.release().await.unwrap();
    drop(one);
    let sql = "DELETE FROM node_registry WHERE node_id = 1";
    two.db.writer().execute_unprepared(sql).await.unwrap();
    wait_until("the other node leads", SOON, async || second.tick().await.unwrap()).await;
    assert!(two.likes.flush(Some(&first)).await.is_err(), "the former leader is late");
    assert_eq!(two.stored(&live_id).await, rows(&[("ann", 5)]));
    two.likes.flush(Some(&second)).await.unwrap();
    assert_eq!(two.stored(&live_id).await, rows(&[("ann", 6)]));
}

/// Statements of a kind, such as `insert`, that the one session has run so far.
async fn ran(db: &Db, kind: &str) -> i64 {
    let sql = format!("SHOW SESSION STATUS LIKE 'Com_{kind}'");
    let asked = Statement::from_string(db.dialect().backend(), sql);
    let row = db.writer().query_one_raw(asked).await.unwrap();
    row.unwrap().try_get::<String>("", "Value").unwrap().parse().unwrap()
}

/// A node with one connection to the database.
async fn with_one_session(cache: &CacheConfig) -> (TestDatabase, Node) {
    let database = TestDatabase::create().await;
    database.migrated().await.close().await;
    let mut mysql = database.config();
    mysql.databases[0].max_open_conns = 1;
    let node = Node::over(database.open(&mysql).await.unwrap(), cache, 1).await;
    (database, node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_like_takes_two_round_trips_and_no_statement() {
    let server = RedisServer::start(&[]);
    let cache = CacheConfig::Node(crate::cache::backend::config(vec![server.addr()]));
    let (_database, node) = with_one_session(&cache).await;
    let live_id = node.room(&VIEWERS).await;
    for viewer in VIEWERS {
        node.give(&live_id, viewer, 1).await;
    }
    let calls = || -> i64 {
        let info: String = server.run(&["INFO", "commandstats"]);
        let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
        line.split(',').next().unwrap().parse().unwrap()
    };
    let before = (calls(), ran(&node.db, "select").await, ran(&node.db, "insert").await);
    for number in 0..30 {
        node.give(&live_id, VIEWERS[number % 3], 1).await;
    }
    let after = (calls(), ran(&node.db, "select").await, ran(&node.db, "insert").await);
    assert_eq!(after, (before.0 + 60, before.1, before.2));
}

async fn fill(node: &Node, live_id: &str, users: usize) {
    let seed: LikeSeed = node.cache.begin_seed(live_id).await.unwrap();
    node.cache.sow(seed).await.unwrap();
    let likes: Vec<usize> = (0..users).collect();
    for likes in likes.chunks(250) {
        join_all(likes.iter().map(|number| async move {
            let user_id = format!("user-{number}");
            let like = Like { live_id, user_id: &user_id, count: 2, is_in: true };
            assert!(matches!(node.cache.like(like).await.unwrap(), Liked::Counted(_)));
        }))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_likes_are_written_in_a_statement_for_a_thousand() {
    let (_database, node) = with_one_session(&redis()).await;
    for round in 0..2 {
        fill(&node, "room-1", 5000).await;
        fill(&node, "room-2", 5000).await;
        let writes = async || (ran(&node.db, "insert").await, ran(&node.db, "update_multi").await);
        let before = writes().await;
        assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 10_000);
        let after = writes().await;
        let wanted = if round == 0 { (10, 0) } else { (0, 10) };
        assert_eq!((after.0 - before.0, after.1 - before.1), wanted, "round {round}");
        assert_eq!(node.stored("room-1").await.len(), 5000);
    }
    assert!(node.stored("room-2").await.iter().all(|(_, count)| *count == 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_that_are_raised_use_up_no_ids() {
    let (_database, node, _) = Kind::Redis.start().await;
    fill(&node, "room", 1000).await;
    node.likes.flush(Some(&Leader)).await.unwrap();
    let next = stats::next_id(&node.db).await;
    for _ in 0..5 {
        fill(&node, "room", 1000).await;
        assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 1000);
    }
    assert_eq!(stats::next_id(&node.db).await, next);
    assert!(node.stored("room").await.iter().all(|(_, count)| *count == 12));
    let gone = "DELETE FROM stats_single_live WHERE user_id IN ('user-0', 'user-999')";
    node.db.writer().execute_unprepared(gone).await.unwrap();
    fill(&node, "room", 1000).await;
    node.likes.flush(Some(&Leader)).await.unwrap();
    let stored = node.stored("room").await;
    assert_eq!(stored.len(), 1000, "rows that have gone are put again");
    assert!(stored.iter().all(|(_, count)| *count == 14));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_with_many_likers_is_seeded_in_pages() {
    let (_database, node, _) = Kind::Redis.start().await;
    let live_id = node.room(&VIEWERS).await;
    fill(&node, &live_id, 11_000).await;
    node.likes.flush(Some(&Leader)).await.unwrap();
    let other = Node::over(node.db.clone(), &redis(), 2).await;
    assert_eq!(other.give(&live_id, "ann", 1).await, (1, 22_001), "a cache that knows nothing");
    let users: Vec<UserLikes> = other.cache.unwritten_likes(&[&live_id], 10).await.unwrap().remove(0).users;
    assert_eq!(users, [UserLikes { user_id: "ann".to_owned(), count: 1 }]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_that_can_never_be_written_keep_no_other_rooms_likes_from_it() {
    let (_database, node, _) = Kind::Redis.start().await;
    for room in ["room-1", "room-2", "room-3"] {
        fill(&node, room, 3).await;
    }
    let poison = "CREATE TRIGGER poison BEFORE INSERT ON stats_single_live FOR EACH ROW \
                  IF NEW.live_id = 'room-2' THEN SIGNAL SQLSTATE '45000'; END IF";
    node.db.writer().execute_unprepared(poison).await.unwrap();
    assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 6);
    let stored = [node.stored("room-1").await, node.stored("room-2").await, node.stored("room-3").await];
    assert_eq!(stored.map(|likes| likes.len()), [3, 0, 3]);
    node.db.writer().execute_unprepared("DROP TRIGGER poison").await.unwrap();
    assert_eq!(node.likes.flush(Some(&Leader)).await.unwrap(), 3, "they wait in the cache");
}
