//! A node whose clock is wrong by a day, and one whose clock is set.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use common::clock::Clock;
use common::page::Paging;
use liveloom::jobs::lease::LeaderLease;
use liveloom::jobs::presence::Watch;
use liveloom::jobs::schedule::Job;
use liveloom::jobs::viewers::TimedOutViewers;
use liveloom::live::CreateRoom;
use liveloom::live::heartbeat_timeout::Evicted;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use store::cache::Member;
use store::db::Db;

use crate::support::database::TestDatabase;
use crate::support::fence::Leader;
use crate::support::rooms::{Rooms, cache_config};
use crate::support::services::{Needs, Services};
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
const UNWRITTEN: Option<Duration> = Some(Duration::from_secs(90));

/// The machine's clock, wrong by so much.
struct Wrong(TimeDelta);

impl Clock for Wrong {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.0
    }
}

async fn node(database: &TestDatabase, db: &Db, node_id: u16, wrong_by: TimeDelta) -> Services {
    let cache = cache_config(database.schema());
    Services::over(db, Needs { cache, node_id, clock: Arc::new(Wrong(wrong_by)), ..Needs::default() }).await
}

async fn users(node: &Services, live_id: &str) -> u64 {
    node.lives.users(live_id, Paging { num: 1, size: 10 }).await.unwrap().total_count
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_wrong_by_a_day_leads_like_any_other(#[values(1, -1)] days: i64) {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let right = node(&database, &db, 1, TimeDelta::zero()).await;
    let wrong = node(&database, &db, 2, TimeDelta::days(days)).await;
    for user in ["anchor", "a", "b", "c"] {
        right.users.find_or_register(user).await.unwrap();
    }
    let new = CreateRoom {
        title: "room".to_owned(),
        notice: None,
        cover_url: None,
        extends: None,
        start_at: None,
        end_at: None,
        publish_expire_at: None,
    };
    let live = right.lives.create("anchor", new).await.unwrap().live_id;
    right.lives.start(&live, "anchor").await.unwrap();
    right.lives.join(&live, "a").await.unwrap();
    wrong.lives.join(&live, "b").await.unwrap();

    wrong.cache.begin_watch().await.unwrap();
    assert_eq!(wrong.lives.evict_timed_out(&Leader, HOUR).await.unwrap(), Evicted::Removed(0));
    assert_eq!(wrong.lives.end_timed_out(&Leader, HOUR).await.unwrap(), Evicted::Removed(0));
    assert_eq!(users(&right, &live).await, 3, "nobody is silent");

    // What a crash leaves behind is found by either, whoever wrote the row.
    right.cache.leave(&live, "b").await.unwrap();
    assert_eq!(right.lives.restore_presence(UNWRITTEN).await.unwrap(), 1);
    right.lives.join(&live, "c").await.unwrap();
    right.cache.leave(&live, "c").await.unwrap();
    assert_eq!(wrong.lives.restore_presence(UNWRITTEN).await.unwrap(), 1);
    let all = ["anchor", "a", "b", "c"].map(|user| Member::new(&*live, user));
    assert_eq!(right.cache.present(&all).await.unwrap(), [true; 4]);

    let watched = Instant::now();
    wait_until("silence counts", LIMIT, async || watched.elapsed() > Duration::from_millis(20)).await;
    let swept = wrong.lives.evict_timed_out(&Leader, Duration::from_millis(1)).await.unwrap();
    assert_eq!(swept, Evicted::Removed(4), "the silent are out");
    right.lives.heartbeat(&live, "a").await.unwrap();
    assert_eq!(users(&wrong, &live).await, 1);
}

/// That heartbeats failed is noticed though the node's clock shows an earlier time than at its last failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_a_node_whose_clock_was_set_back_begins_the_watch_anew() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let rooms = Rooms::start(false).await;
    let lease = LeaderLease::new(rooms.db.clone(), 1, 1, "host/b/n/1/1/0".to_owned(), HOUR);
    assert!(lease.tick().await.unwrap());
    let lease = Arc::new(lease);
    let watch = Watch::new(rooms.cache.clone(), rooms.db.clone(), rooms.lives.clone(), Arc::clone(&lease));
    let mut job =
        TimedOutViewers { lives: rooms.lives.clone(), lease, watch: Arc::new(watch), timeout: TIMEOUT };
    let failed = async |ms: i64| {
        let sql = format!(
            "REPLACE INTO node_registry (node_id, owner, lease_until_ms, id_high_water_ms, cache_failed_ms, \
             version, updated_ms) VALUES (7, 'host/b/n/7/1/0', 9000000000000000, 1, {ms}, '1', 1)"
        );
        rooms.db.writer().execute_unprepared(&sql).await.unwrap();
    };
    let now_ms = Utc::now().timestamp_millis();
    failed(now_ms).await;
    let live = rooms.created("anchor").await;
    rooms.join("first", &live).await;
    assert_eq!(job.run().await.unwrap(), 0, "the watch begins");
    wait_until("the first is out", LIMIT, async || job.run().await.unwrap() == 1).await;

    rooms.join("second", &live).await;
    let joined = Instant::now();
    wait_until("the second is silent", LIMIT, async || joined.elapsed() > TIMEOUT * 2).await;
    failed(now_ms - TimeDelta::days(1).num_milliseconds()).await;
    assert_eq!(job.run().await.unwrap(), 0, "perhaps they were heard where nothing could be stored");
    let second = Member::new(&*live, "second");
    assert_eq!(rooms.cache.present(&[second]).await.unwrap(), [true]);
    wait_until("the second is out", LIMIT, async || job.run().await.unwrap() == 1).await;
}
