//! The leader's lease: one leader at a time, the preferred node when it is there, and nothing done
//! late by a former one.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::clock::SystemClock;
use common::id::IdGenerator;
use liveloom::jobs::lease::{LeaderLease, leader};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use store::db::{Db, RetryableError, StoreError, Tx};
use store::entity::{leader_lease, live_users};
use store::fence::{Fence, LeaseLost};
use store::registry::NodeLease;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::support::database::TestDatabase;
use crate::support::metrics::told;
use crate::support::wait::wait_until;

const PREFERRED: u16 = 1;
const OTHER: u16 = 2;
const THIRD: u16 = 3;
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(600);
const SOON: Duration = Duration::from_secs(20);

async fn database(is_embedded: bool) -> TestDatabase {
    if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await }
}

fn lease(db: &Db, node_id: u16, lease: Duration) -> LeaderLease {
    LeaderLease::new(db.clone(), node_id, PREFERRED, format!("host/b/n/{node_id}/1/0"), lease)
}

async fn stored(db: &Db) -> leader_lease::Model {
    leader_lease::Entity::find_by_id("jobs").one(db.writer()).await.unwrap().unwrap()
}

/// Ends the lease as if its time had run out.
async fn expire(db: &Db) {
    db.writer().execute_unprepared("UPDATE leader_lease SET expires_ms = 1").await.unwrap();
}

/// Ends the lease as if it had been given back long ago.
async fn free(db: &Db) {
    db.writer().execute_unprepared("UPDATE leader_lease SET owner = '', expires_ms = 1").await.unwrap();
}

async fn register(db: &Db, node_id: u16) -> NodeLease {
    let ids = Arc::new(IdGenerator::new(node_id, Arc::new(SystemClock)).unwrap());
    NodeLease::acquire(db, node_id, LONG, ids, || None).await.unwrap()
}

/// What a job's transaction may fail with.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lost(#[from] LeaseLost),
}

impl RetryableError for JobError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) | Self::Lost(LeaseLost::Store(error)) if error.is_retryable())
    }
}

/// A job of `leader`: leaves a row behind if it may.
async fn work(db: &Db, leader: &LeaderLease, mark: &str) -> Result<(), JobError> {
    db.transaction(|tx| {
        Box::pin(async move {
            leader.check(tx).await?;
            leave(tx, mark).await
        })
    })
    .await
}

async fn leave(tx: &Tx<'_>, mark: &str) -> Result<(), JobError> {
    let sql = format!("INSERT INTO live_users (user_id) VALUES ('{mark}')");
    tx.execute_unprepared(&sql).await.map_err(StoreError::from)?;
    Ok(())
}

/// As [`work`]; between the check and the row it says so and waits until it is told to go on.
async fn work_in_two_parts(
    db: &Db,
    leader: &LeaderLease,
    checked: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
) -> Result<(), JobError> {
    let parts = Mutex::new(Some((checked, go_on)));
    db.transaction(|tx| {
        let parts = parts.lock().unwrap().take();
        Box::pin(async move {
            // It is not to be repeated.
            let (checked, go_on) = parts.ok_or(LeaseLost::Lost)?;
            leader.check(tx).await?;
            checked.send(()).unwrap();
            go_on.await.unwrap();
            leave(tx, "in two parts").await
        })
    })
    .await
}

async fn marks(db: &Db) -> Vec<String> {
    live_users::Entity::find().all(db.writer()).await.unwrap().into_iter().filter_map(|u| u.user_id).collect()
}

#[rstest]
#[tokio::test]
async fn the_preferred_node_leads_at_once_and_alone(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (one, two) = (lease(&db, PREFERRED, LONG), lease(&db, OTHER, LONG));
    assert!(!one.is_leader());
    assert!(matches!(work(&db, &one, "x").await, Err(JobError::Lost(LeaseLost::Lost))));
    assert!(one.tick().await.unwrap() && one.is_leader());
    let since = one.leading_since().unwrap();
    assert!(!two.tick().await.unwrap() && !two.is_leader());
    assert!(one.tick().await.unwrap());
    assert_eq!(one.leading_since(), Some(since), "without a break");
    let row = stored(&db).await;
    assert_eq!((row.node_id, row.owner.as_str(), row.token), (1, "host/b/n/1/1/0", 1));
    work(&db, &one, "done").await.unwrap();
    assert!(matches!(work(&db, &two, "y").await, Err(JobError::Lost(LeaseLost::Lost))));
    assert_eq!(marks(&db).await, ["done"]);
}

#[rstest]
#[tokio::test]
async fn another_takes_over_within_two_leases_and_gives_back(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (one, two) = (lease(&db, PREFERRED, SHORT), lease(&db, OTHER, SHORT));
    assert!(one.tick().await.unwrap());
    let last_renewed = Instant::now();
    wait_until("the other leads", SOON, async || two.tick().await.unwrap()).await;
    // The preferred node has half a lease's time to come back.
    assert!(
        last_renewed.elapsed() >= SHORT * 3 / 2 - Duration::from_millis(50),
        "{:?}",
        last_renewed.elapsed()
    );
    assert!(!one.is_leader(), "it knows by itself that its lease is over");
    assert_eq!((stored(&db).await.node_id, stored(&db).await.token), (2, 2));
    assert!(!one.tick().await.unwrap(), "not while the other holds it");

    let registration = register(&db, PREFERRED).await;
    assert!(!two.tick().await.unwrap() && !two.is_leader(), "it gives back");
    assert!(!two.tick().await.unwrap(), "and does not take it again");
    assert!(one.tick().await.unwrap());
    assert_eq!(stored(&db).await.token, 3);
    work(&db, &one, "done").await.unwrap();
    assert!(matches!(work(&db, &two, "late").await, Err(JobError::Lost(LeaseLost::Lost))));
    assert_eq!(marks(&db).await, ["done"]);
    registration.release().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn it_is_not_given_back_while_a_job_runs(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (one, two) = (lease(&db, PREFERRED, LONG), Arc::new(lease(&db, OTHER, LONG)));
    assert!(two.begin_run().is_none(), "it does not lead");
    assert!(one.tick().await.unwrap());
    free(&db).await;
    assert!(two.tick().await.unwrap());
    let run = two.begin_run().expect("it leads");
    let registration = register(&db, PREFERRED).await;
    assert!(two.tick().await.unwrap() && !two.is_leader(), "it waits for the end of the run");
    assert!(two.begin_run().is_none(), "and begins no other");
    work(&db, &two, "to the end").await.unwrap();
    assert!(!one.tick().await.unwrap());
    drop(run);
    assert!(!two.tick().await.unwrap());
    assert!(one.tick().await.unwrap());
    registration.release().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn it_leads_on_when_the_preferred_node_is_gone_before_it_could_give_back(
    #[values(false, true)] is_embedded: bool,
) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    assert!(lease(&db, PREFERRED, LONG).tick().await.unwrap());
    free(&db).await;
    let two = Arc::new(lease(&db, OTHER, LONG));
    assert!(two.tick().await.unwrap());
    let run = two.begin_run().expect("it leads");
    let registration = register(&db, PREFERRED).await;
    assert!(two.tick().await.unwrap() && !two.is_leader(), "it waits for the end of the run");
    registration.release().await.unwrap();
    assert!(two.tick().await.unwrap() && two.is_leader(), "there is nobody to give back to");
    drop(run);
    assert!(two.begin_run().is_some());
}

#[rstest]
#[tokio::test]
async fn a_frozen_former_leader_is_refused_by_the_token(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    // It believes in its lease for an hour, as one does that was frozen right after a check.
    let frozen = lease(&db, PREFERRED, LONG);
    assert!(frozen.tick().await.unwrap());
    work(&db, &frozen, "before").await.unwrap();
    expire(&db).await;
    let other = lease(&db, OTHER, SHORT);
    assert!(other.tick().await.unwrap());
    assert!(frozen.is_leader(), "it does not know yet");
    assert!(matches!(work(&db, &frozen, "late").await, Err(JobError::Lost(LeaseLost::Lost))));
    work(&db, &other, "after").await.unwrap();
    assert_eq!(marks(&db).await, ["before", "after"]);
    assert!(!frozen.tick().await.unwrap() && !frozen.is_leader());
}

#[rstest]
#[tokio::test]
async fn an_expired_lease_that_nobody_took_is_kept_under_its_token(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let one = lease(&db, PREFERRED, Duration::from_millis(50));
    assert!(one.tick().await.unwrap());
    let since = one.leading_since();
    wait_until("the lease is over", SOON, async || !one.is_leader()).await;
    work(&db, &one, "nobody else leads").await.unwrap();
    assert!(one.tick().await.unwrap());
    assert_eq!(stored(&db).await.token, 1);
    assert!(one.leading_since() > since, "a break");
}

#[tokio::test]
async fn no_one_takes_over_while_a_job_commits() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let one = lease(&db, PREFERRED, LONG);
    assert!(one.tick().await.unwrap());
    expire(&db).await;
    let other = lease(&db, OTHER, LONG);
    let (checked, is_checked) = oneshot::channel();
    let (may_end, ending) = oneshot::channel();
    let job = work_in_two_parts(&db, &one, checked, ending);
    let taking = async {
        is_checked.await.unwrap();
        let mut take = Box::pin(other.tick());
        let waiting = tokio::time::timeout(Duration::from_millis(300), &mut take).await;
        assert!(waiting.is_err(), "the row is locked");
        may_end.send(()).unwrap();
        take.await
    };
    let (job, taken) = tokio::join!(job, taking);
    job.unwrap();
    assert!(taken.unwrap());
    assert_eq!(marks(&db).await, ["in two parts"]);
}

/// A process that is stopped keeps its connections, and a transaction its locks, that of the lease among them.
#[tokio::test]
async fn a_leader_that_is_frozen_in_the_midst_of_a_job_does_not_keep_others_from_leading() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let one = lease(&db, PREFERRED, LONG);
    assert!(one.tick().await.unwrap());
    expire(&db).await;
    let other = lease(&db, OTHER, LONG);
    let (frozen, is_frozen) = oneshot::channel();
    let (wake, waking) = oneshot::channel();
    let job = work_in_two_parts(&db, &one, frozen, waking);
    let taking = async {
        is_frozen.await.unwrap();
        wait_until("another one leads", SOON, async || other.tick().await.unwrap_or(false)).await;
        wake.send(()).unwrap();
    };
    let (job, ()) = tokio::join!(job, taking);
    assert!(job.is_err() && marks(&db).await.is_empty(), "what it did is undone");
    assert_eq!(stored(&db).await.node_id, i32::from(OTHER));
}

#[rstest]
#[tokio::test]
async fn a_lease_given_back_is_free_for_the_preferred_node(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let one = lease(&db, PREFERRED, LONG);
    assert!(one.tick().await.unwrap());
    one.release().await.unwrap();
    assert!(!one.is_leader() && !one.tick().await.unwrap(), "for good");
    assert!(matches!(work(&db, &one, "late").await, Err(JobError::Lost(LeaseLost::Lost))));
    assert!(!lease(&db, OTHER, LONG).tick().await.unwrap(), "it leaves it a lease's time to return");
    let again = LeaderLease::new(db.clone(), PREFERRED, PREFERRED, "host/b/n/9/1/0".into(), LONG);
    assert!(again.tick().await.unwrap());
    assert_eq!(stored(&db).await.token, 2);
}

#[rstest]
#[tokio::test]
async fn after_a_stand_in_the_next_one_need_not_wait(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    assert!(lease(&db, PREFERRED, LONG).tick().await.unwrap());
    expire(&db).await;
    let other = lease(&db, OTHER, LONG);
    assert!(other.tick().await.unwrap());
    assert!(!lease(&db, THIRD, LONG).tick().await.unwrap());
    other.release().await.unwrap();
    assert!(lease(&db, THIRD, LONG).tick().await.unwrap());
}

#[rstest]
#[tokio::test]
async fn a_node_takes_over_from_its_own_former_process_at_once(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let killed = lease(&db, PREFERRED, LONG);
    assert!(killed.tick().await.unwrap());
    let restarted = LeaderLease::new(db.clone(), PREFERRED, PREFERRED, "host/b/n/9/1/0".into(), LONG);
    assert!(restarted.tick().await.unwrap());
    assert!(matches!(work(&db, &killed, "late").await, Err(JobError::Lost(LeaseLost::Lost))));
}

#[rstest]
#[tokio::test]
async fn of_two_that_may_take_it_one_does(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    assert!(lease(&db, PREFERRED, LONG).tick().await.unwrap());
    for _ in 0..10 {
        free(&db).await;
        let (other, third) = (lease(&db, OTHER, LONG), lease(&db, THIRD, LONG));
        let (a, b) = tokio::join!(other.tick(), third.tick());
        assert!(a.unwrap() != b.unwrap());
    }
}

#[rstest]
#[tokio::test]
async fn it_is_kept_in_the_background(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let one = Arc::new(lease(&db, PREFERRED, SHORT));
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(Arc::clone(&one).keep(stop.clone()));
    wait_until("it leads", SOON, async || one.is_leader()).await;
    let first = stored(&db).await.expires_ms;
    wait_until("it is renewed", SOON, async || stored(&db).await.expires_ms > first + 600).await;
    db.writer().execute_unprepared("DELETE FROM leader_lease").await.unwrap();
    wait_until("a lost row is made again", SOON, async || {
        leader_lease::Entity::find().one(db.writer()).await.unwrap().is_some_and(|row| row.node_id == 1)
    })
    .await;
    stop.cancel();
    keeping.await.unwrap();
}

#[rstest]
#[tokio::test]
async fn everybody_knows_who_leads(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    assert_eq!(leader(&db).await.unwrap(), None);
    let preferred = lease(&db, PREFERRED, LONG);
    assert!(preferred.tick().await.unwrap());
    assert_eq!(leader(&db).await.unwrap(), Some(PREFERRED.into()));
    preferred.release().await.unwrap();
    assert_eq!(leader(&db).await.unwrap(), None);
    assert!(lease(&db, PREFERRED, Duration::from_millis(1)).tick().await.unwrap());
    wait_until("the lease passes", SOON, async || leader(&db).await.unwrap().is_none()).await;
}

#[rstest]
#[tokio::test]
async fn metrics_say_who_leads(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let [one, two] = [PREFERRED, OTHER].map(|node_id| Arc::new(lease(&db, node_id, LONG)));
    let told_by = |lease: &Arc<LeaderLease>| {
        let registry = prometheus::Registry::new();
        lease.register(&registry).unwrap();
        let names = ["liveloom_leader", "liveloom_leader_changes_total", "liveloom_leader_token"];
        names.map(|name| told(&registry, name, &[]).unwrap())
    };
    assert_eq!(told_by(&one), [0.0, 0.0, 0.0]);
    for _ in 0..2 {
        one.tick().await.unwrap();
        two.tick().await.unwrap();
    }
    assert_eq!((told_by(&one), told_by(&two)), ([1.0, 1.0, 1.0], [0.0, 0.0, 1.0]));
    one.release().await.unwrap();
    assert_eq!(told_by(&one), [0.0, 1.0, 1.0]);
    let again = Arc::new(lease(&db, PREFERRED, LONG));
    again.tick().await.unwrap();
    two.tick().await.unwrap();
    assert_eq!((told_by(&again), told_by(&two)), ([1.0, 1.0, 2.0], [0.0, 0.0, 2.0]));
}
