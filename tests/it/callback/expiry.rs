//! What is past its time is dropped; what somebody still needs is not.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use liveloom::callback::Filter;
use liveloom::event::DomainEvent;
use liveloom::event::expiry::drop_expired;
use liveloom::event::lanes::{Finished, Lanes};
use liveloom::event::{CALLBACKS, REACTIONS};
use liveloom::jobs::lease::LeaderLease;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use store::db::Db;
use store::entity::event_log;

use super::bed::{Bed, SOON};
use crate::support::callback_receiver::Mood;
use crate::support::wait::wait_until;

const KEEP: Duration = Duration::from_secs(72 * 3600);

async fn leader(bed: &Bed) -> LeaderLease {
    let lease = LeaderLease::new(bed.db.clone(), 1, 1, "host/b/n/1/1/0".into(), Duration::from_secs(600));
    assert!(lease.tick().await.unwrap());
    lease
}

/// Lets a consumer be done with all events of a room but the last `left`.
async fn settle(lanes: &Lanes, live_id: &str, left: i64) {
    let claims = lanes.claim(100).await.unwrap();
    let ended = |claim: &liveloom::event::lanes::Claim| {
        let done = if claim.live_id == live_id { claim.seq - left } else { claim.done };
        let (live_id, owner) = (claim.live_id.clone(), claim.owner.clone());
        Finished { live_id, owner, done, attempts: 0, pause: Duration::ZERO }
    };
    let ended: Vec<_> = claims.iter().map(ended).collect();
    lanes.finish(lanes.db().writer(), &ended).await.unwrap();
}

async fn left(bed: &Bed) -> Vec<(String, i64)> {
    let rows = event_log::Entity::find().all(bed.db.writer()).await.unwrap();
    let mut left: Vec<_> = rows.into_iter().map(|row| (row.live_id, row.seq)).collect();
    left.sort();
    left
}

#[rstest]
#[tokio::test]
async fn events_are_dropped_when_old_and_settled(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.append_to(&["100", "200"], 2500).await;
    let lease = Duration::from_secs(60);
    let callbacks = Lanes::new(bed.db.clone(), CALLBACKS, 1, lease);
    let reactions = Lanes::new(bed.db.clone(), REACTIONS, 1, lease);
    settle(&callbacks, "100", 0).await;
    settle(&reactions, "100", 2).await;
    let leader = leader(&bed).await;
    let later = Utc::now() + TimeDelta::hours(73);

    assert_eq!(drop_expired(&bed.db, &leader, Utc::now(), KEEP).await.unwrap(), 0);
    assert_eq!(drop_expired(&bed.db, &leader, later, KEEP).await.unwrap(), 2498);
    let left = left(&bed).await;
    assert_eq!(left.len(), 2502);
    assert_eq!(left[..2], [("100".to_owned(), 2499), ("100".to_owned(), 2500)]);
    bed.append("100", &DomainEvent::LiveStarted).await;
    assert_eq!(bed.lane("100").await.seq, 2501, "its numbers go on");

    bed.db.writer().execute_unprepared("UPDATE leader_lease SET token = 9").await.unwrap();
    drop_expired(&bed.db, &leader, later, KEEP).await.unwrap_err();
}

/// Rows that this connection, the only one, has read so far.
async fn rows_read(db: &Db) -> u64 {
    let sql = "SHOW SESSION STATUS LIKE 'Handler_read_%'";
    let rows = db.writer().query_all_raw(Statement::from_string(DbBackend::MySql, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(1).unwrap().parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn what_waits_for_a_consumer_is_looked_at_once() {
    let bed = Bed::new(false).await;
    bed.append_to(&["100"], 4000).await;
    bed.append_to(&["200"], 10_000).await;
    let lease = Duration::from_secs(60);
    for group in [CALLBACKS, REACTIONS] {
        settle(&Lanes::new(bed.db.clone(), group, 1, lease), "200", 0).await;
    }
    let spread = "UPDATE event_log SET created_at = created_at - INTERVAL seq SECOND";
    bed.db.writer().execute_unprepared(spread).await.unwrap();
    let leader = leader(&bed).await;
    let alone = bed.single_connection().await;
    let later = Utc::now() + TimeDelta::hours(73);
    let before = rows_read(&alone).await;
    assert_eq!(drop_expired(&alone, &leader, later, KEEP).await.unwrap(), 10_000);
    let read = rows_read(&alone).await - before;
    // Each event and its lane, and those that are deleted once more.
    assert!(read < 3 * 14_000, "{read}");
    assert_eq!(left(&bed).await.len(), 4000);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivered_callbacks_are_dropped_and_failed_ones_later(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.receiver.set_mood(Mood::Status(410));
    let _node = bed.node().await;
    bed.append_to(&["100", "200"], 1).await;
    wait_until("both are kept", SOON, async || bed.list(Filter::default()).await.len() == 2).await;
    bed.receiver.set_mood(Mood::Well);
    bed.deliveries.retry("evt_100_1").await.unwrap();
    bed.wait_taken("100", 1).await;
    let states =
        async || bed.list(Filter::default()).await.iter().map(|row| row.state.as_str()).collect::<Vec<_>>();
    wait_until("it is recorded", SOON, async || states().await.contains(&"delivered")).await;

    let leader = leader(&bed).await;
    assert_eq!(bed.deliveries.drop_old(&leader, KEEP).await.unwrap(), 0);
    let age = async |days: i64| {
        let at = bed.db.wall(Utc::now() - TimeDelta::days(days)).naive();
        let sql = format!("UPDATE callback_delivery SET updated_at = '{}'", at.format("%Y-%m-%d %H:%M:%S"));
        bed.db.writer().execute_unprepared(&sql).await.unwrap();
    };
    age(4).await;
    assert_eq!(bed.deliveries.drop_old(&leader, KEEP).await.unwrap(), 1);
    assert_eq!(states().await, ["failed"]);
    age(31).await;
    assert_eq!(bed.deliveries.drop_old(&leader, KEEP).await.unwrap(), 1);
}
