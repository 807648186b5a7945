//! Lanes: which are due, who may handle them, and that nobody changes one late.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Utc;
use liveloom::event::lanes::{Claim, Finished, Lanes};
use liveloom::event::{CALLBACKS, REACTIONS};
use liveloom::event::{DomainEvent, append, append_all};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use store::db::{Db, StoreError};
use store::entity::room_lane;

use crate::support::database::TestDatabase;
use crate::support::wait::wait_until;

const LEASE: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_secs(20);

async fn database(is_embedded: bool) -> TestDatabase {
    if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await }
}

fn lanes(db: &Db) -> Lanes {
    Lanes::new(db.clone(), CALLBACKS, 1, LEASE)
}

async fn append_to(db: &Db, live_id: &str, count: usize) {
    for _ in 0..count {
        db.transaction(|tx| {
            Box::pin(async move { append(tx, db, live_id, &DomainEvent::StreamUp, Utc::now()).await })
        })
        .await
        .unwrap();
    }
}

async fn append_to_rooms(db: &Db, rooms: &[String]) {
    let events: Vec<_> = rooms.iter().map(|live_id| (live_id.clone(), DomainEvent::StreamUp)).collect();
    let all = db.transaction(|tx| {
        let events = &events;
        Box::pin(async move { append_all(tx, db, events, Utc::now()).await })
    });
    all.await.unwrap();
}

async fn lane(db: &Db, live_id: &str) -> room_lane::Model {
    room_lane::Entity::find_by_id(live_id).one(db.writer()).await.unwrap().unwrap()
}

fn ended(claim: &Claim, done: i64) -> Finished {
    let (live_id, owner) = (claim.live_id.clone(), claim.owner.clone());
    Finished { live_id, owner, done, attempts: 0, pause: Duration::ZERO }
}

async fn expire_leases(db: &Db) {
    db.writer()
        .execute_unprepared("UPDATE room_lane SET callback_due = callback_due - 7200000")
        .await
        .unwrap();
}

#[rstest]
#[tokio::test]
async fn an_append_makes_a_lane_due_for_every_consumer(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (callbacks, reactions) = (lanes(&db), Lanes::new(db.clone(), REACTIONS, 1, LEASE));
    assert!(!callbacks.is_any_due().await.unwrap());
    assert!(callbacks.claim(10).await.unwrap().is_empty());
    append_to(&db, "100", 3).await;

    assert!(callbacks.is_any_due().await.unwrap());
    let claims = callbacks.claim(10).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!((claims[0].seq, claims[0].done, claims[0].attempts), (3, 0, 0));
    let events = callbacks.read(&claims, 2).await.unwrap().remove("100").unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(events[0].event, Some(DomainEvent::StreamUp));
    assert!(!callbacks.is_any_due().await.unwrap() && callbacks.claim(10).await.unwrap().is_empty());
    assert_eq!(reactions.claim(10).await.unwrap().len(), 1, "its lane is another");

    assert_eq!(callbacks.finish(db.writer(), &[ended(&claims[0], 3)]).await.unwrap(), 1);
    let lane = lane(&db, "100").await;
    assert_eq!((lane.callback_done, lane.callback_due, lane.callback_owner), (Some(3), None, None));
    assert!(lane.reaction_due.is_some() && lane.reaction_owner.is_some());
}

#[rstest]
#[tokio::test]
async fn what_came_meanwhile_keeps_the_lane_due(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let callbacks = lanes(&db);
    append_to(&db, "100", 1).await;
    let claims = callbacks.claim(10).await.unwrap();
    append_to(&db, "100", 1).await;
    assert!(callbacks.claim(10).await.unwrap().is_empty(), "the append does not end the lease");
    callbacks.finish(db.writer(), &[ended(&claims[0], 1)]).await.unwrap();
    let claims = callbacks.claim(10).await.unwrap();
    assert_eq!((claims[0].seq, claims[0].done), (2, 1));
}

#[rstest]
#[tokio::test]
async fn a_lane_may_rest_after_a_failure(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let callbacks = lanes(&db);
    append_to(&db, "100", 1).await;
    append_to(&db, "200", 1).await;
    let claims = callbacks.claim(10).await.unwrap();
    let rests = Finished { attempts: 2, pause: Duration::from_secs(600), ..ended(&claims[0], 0) };
    let goes_on = ended(&claims[1], 1);
    assert_eq!(callbacks.finish(db.writer(), &[rests, goes_on]).await.unwrap(), 2);
    let rested = lane(&db, &claims[0].live_id).await;
    let left = rested.callback_due.unwrap() - db.now_ms(db.writer()).await.unwrap();
    assert!((590_000..=600_000).contains(&left), "{left}");
    assert_eq!((rested.callback_done, rested.callback_attempts), (Some(0), 2));
    assert_eq!(lane(&db, &claims[1].live_id).await.callback_due, None);
    assert!(callbacks.claim(10).await.unwrap().is_empty());
    expire_leases(&db).await;
    assert_eq!(callbacks.claim(10).await.unwrap()[0].attempts, 2);
}

#[rstest]
#[tokio::test]
async fn a_former_owner_changes_nothing(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (frozen, other) = (lanes(&db), Lanes::new(db.clone(), CALLBACKS, 2, LEASE));
    append_to(&db, "100", 5).await;
    let late = frozen.claim(10).await.unwrap().remove(0);
    expire_leases(&db).await;
    let current = other.claim(10).await.unwrap().remove(0);
    assert_eq!((late.done, current.done), (0, 0));

    assert_eq!(frozen.finish(db.writer(), &[ended(&late, 5)]).await.unwrap(), 0);
    assert_eq!(lane(&db, "100").await.callback_done, Some(0));
    let (late, now) = (ended(&late, 5), ended(&current, 2));
    let (of_late, of_now) = db
        .transaction(|tx| {
            let (frozen, late, now) = (&frozen, &late, &now);
            Box::pin(async move {
                let of_late = frozen.still_ours(tx, std::slice::from_ref(late)).await?;
                let of_now = frozen.still_ours(tx, &[late.clone(), now.clone()]).await?;
                Ok::<_, StoreError>((of_late.len(), of_now.len()))
            })
        })
        .await
        .unwrap();
    assert_eq!((of_late, of_now), (0, 1));
    assert_eq!(other.finish(db.writer(), &[now]).await.unwrap(), 1);
    assert_eq!(lane(&db, "100").await.callback_done, Some(2));
}

#[tokio::test]
async fn two_nodes_never_have_the_same_lane() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let rooms: Vec<String> = (0..300).map(|room| room.to_string()).collect();
    append_to_rooms(&db, &rooms).await;
    let claimers = (0..6).map(|node| {
        let lanes = Lanes::new(db.clone(), CALLBACKS, node, LEASE);
        tokio::spawn(async move {
            let mut own = Vec::new();
            loop {
                let claims = lanes.claim(16).await.unwrap();
                if claims.is_empty() && !lanes.is_any_due().await.unwrap() {
                    return own;
                }
                own.extend(claims.into_iter().map(|claim| claim.live_id));
            }
        })
    });
    let mut all = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        all.extend(claimer.await.unwrap());
    }
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (300, 300));
}

#[tokio::test]
async fn a_claim_does_not_wait_for_a_room_that_is_being_written() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    append_to(&db, "100", 1).await;
    append_to(&db, "200", 1).await;
    let claims = db
        .transaction(|tx| {
            let db = db.clone();
            Box::pin(async move {
                append(tx, &db, "100", &DomainEvent::StreamDown, Utc::now()).await?;
                // Another consumer: who holds a transaction asks through it alone.
                tokio::spawn(async move { lanes(&db).claim(10).await }).await.unwrap()
            })
        })
        .await
        .unwrap();
    assert_eq!(claims.iter().map(|claim| claim.live_id.as_str()).collect::<Vec<_>>(), ["200"]);
    assert_eq!(lanes(&db).claim(10).await.unwrap()[0].seq, 2);
}

#[rstest]
#[tokio::test]
async fn a_lane_from_before_begins_with_its_next_event(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    db.writer().execute_unprepared("INSERT INTO room_lane (live_id, seq) VALUES ('100', 7)").await.unwrap();
    append_to(&db, "100", 1).await;
    let rooms = ["100".to_owned(), "200".to_owned()];
    append_to_rooms(&db, &rooms).await;
    let claims = lanes(&db).claim(10).await.unwrap();
    let seen: BTreeSet<_> = claims.iter().map(|c| (c.live_id.as_str(), c.done, c.seq)).collect();
    assert_eq!(seen, BTreeSet::from([("100", 7, 9), ("200", 0, 1)]));
}

#[rstest]
#[tokio::test]
async fn a_consumer_that_is_off_leaves_no_history(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let rooms: Vec<String> = (0..30).map(|room| room.to_string()).collect();
    append_to_rooms(&db, &rooms).await;
    append_to_rooms(&db, &rooms).await;
    let callbacks = lanes(&db);
    assert_eq!(callbacks.skip(20).await.unwrap(), 20);
    assert_eq!(callbacks.skip(20).await.unwrap(), 10);
    assert_eq!(callbacks.skip(20).await.unwrap(), 0);
    let lane = lane(&db, "3").await;
    assert_eq!((lane.callback_done, lane.callback_due, lane.reaction_done), (Some(2), None, Some(0)));
}

#[rstest]
#[tokio::test]
async fn only_a_commit_that_leaves_work_wakes(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let mut woken = db.left_work();
    let nothing = db.transaction(|_| Box::pin(async { Ok::<_, StoreError>(()) })).await;
    nothing.unwrap();
    let given_up = db.transaction(|tx| {
        let db = &db;
        Box::pin(async move {
            append(tx, db, "100", &DomainEvent::StreamUp, Utc::now()).await?;
            Err::<(), _>(StoreError::Setup("given up".into()))
        })
    });
    given_up.await.unwrap_err();
    assert!(!woken.has_changed().unwrap());
    append_to(&db, "100", 1).await;
    assert!(woken.has_changed().unwrap());
    woken.mark_unchanged();
    append_to_rooms(&db, &["100".to_owned()]).await;
    wait_until("it is woken", SOON, async || woken.has_changed().unwrap()).await;
}
