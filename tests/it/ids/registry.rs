//! The registry: one living process per node, and ids above all that were reserved before.

use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock::SystemClock;
use common::id::{EPOCH_MS, IdError, IdGenerator};
use rstest::rstest;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use store::db::Db;
use store::entity::node_registry;
use store::registry::{NodeLease, NodeState, RegistryError, alive_nodes};
use tokio::time::timeout;

use crate::support::database::TestDatabase;
use crate::support::wait::wait_until;

const NODE: u16 = 7;
const LONG: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_secs(20);

fn generator() -> Arc<IdGenerator> {
    Arc::new(IdGenerator::new(NODE, Arc::new(SystemClock)).unwrap())
}

async fn acquire(db: &Db, lease: Duration) -> Result<(NodeLease, Arc<IdGenerator>), RegistryError> {
    let ids = generator();
    NodeLease::acquire(db, NODE, lease, Arc::clone(&ids), || None).await.map(|node| (node, ids))
}

fn millisecond(id: u64) -> i64 {
    i64::try_from(id >> 22).unwrap() + EPOCH_MS
}

async fn stored(db: &Db) -> node_registry::Model {
    node_registry::Entity::find_by_id(i32::from(NODE)).one(db.writer()).await.unwrap().unwrap()
}

/// A row as another process left it: its lease lasts, and it may have issued ids up to `mark_ms`.
async fn left_behind(db: &Db, owner: &str, lease: Duration, mark_ms: i64) {
    let now_ms = db.now_ms(db.writer()).await.unwrap();
    let row = node_registry::Model {
        node_id: NODE.into(),
        owner: owner.to_owned(),
        lease_until_ms: now_ms + i64::try_from(lease.as_millis()).unwrap(),
        id_high_water_ms: mark_ms,
        cache_failed_ms: 0,
        version: "0".to_owned(),
        updated_ms: now_ms,
        has_callbacks: false,
        report: None,
    };
    row.into_active_model().reset_all().insert(db.writer()).await.unwrap();
}

async fn database(is_embedded: bool) -> TestDatabase {
    if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await }
}

#[rstest]
#[tokio::test]
async fn a_registered_node_issues_and_is_alive(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (node, ids) = acquire(&db, LONG).await.unwrap();
    let id = ids.next().unwrap();
    let alive = alive_nodes(&db).await.unwrap();
    assert_eq!(alive.len(), 1);
    assert_eq!((alive[0].node_id, alive[0].owner.as_str()), (7, node.owner()));
    assert_eq!((alive[0].cache_failed_ms, alive[0].version.as_str()), (None, env!("CARGO_PKG_VERSION")));
    let row = stored(&db).await;
    assert!(millisecond(id) <= row.id_high_water_ms);
    assert!(row.id_high_water_ms <= db.now_ms(db.writer()).await.unwrap() + 5_000);
}

#[rstest]
#[tokio::test]
async fn after_a_clean_stop_the_next_start_does_not_wait_and_continues(
    #[values(false, true)] is_embedded: bool,
) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let (node, ids) = acquire(&db, LONG).await.unwrap();
    let last = ids.next().unwrap();
    node.release().await.unwrap();
    assert_eq!(ids.next(), Err(IdError::NoLease));
    assert_eq!(alive_nodes(&db).await.unwrap(), []);
    assert_eq!(stored(&db).await.id_high_water_ms, millisecond(last), "nothing is left reserved");
    let (_node, ids) = timeout(SOON, acquire(&db, LONG)).await.unwrap().unwrap();
    assert!(ids.next().unwrap() > last);
}

#[rstest]
#[tokio::test]
async fn ids_continue_above_the_mark_of_a_clock_that_was_ahead(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let mark_ms = db.now_ms(db.writer()).await.unwrap() + 3_600_000;
    left_behind(&db, "elsewhere/b/n/1/1/0", Duration::ZERO, mark_ms).await;
    let (_node, ids) = acquire(&db, Duration::from_millis(500)).await.unwrap();
    assert_eq!(millisecond(ids.next().unwrap()), mark_ms + 1);
    let before = stored(&db).await;
    assert!(before.id_high_water_ms > mark_ms);
    wait_until("a renewal", SOON, async || stored(&db).await.lease_until_ms > before.lease_until_ms).await;
    assert!(stored(&db).await.id_high_water_ms <= mark_ms + 1 + 5_000, "it does not run further ahead");
}

#[tokio::test]
async fn a_live_owner_is_named_and_left_alone() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let (first, ids) = acquire(&db, Duration::from_secs(2)).await.unwrap();
    let refused = timeout(SOON, acquire(&db, LONG)).await.unwrap().err().unwrap();
    let host = first.owner().split('/').next().unwrap();
    let text = refused.to_string();
    assert!(matches!(refused, RegistryError::InUse { node_id: 7, .. }), "{text}");
    assert!(text.contains("node_id 7") && text.contains(host) && !text.contains('\n'), "{text}");
    ids.next().unwrap();
    assert_eq!(stored(&db).await.owner, first.owner());
}

#[tokio::test]
async fn a_lease_from_elsewhere_is_waited_for_and_then_taken() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    left_behind(&db, "elsewhere/b/n/1/1/0", Duration::from_millis(700), 0).await;
    let begun = Instant::now();
    let (node, _) = timeout(SOON, acquire(&db, LONG)).await.unwrap().unwrap();
    assert!(begun.elapsed() > Duration::from_millis(400), "it waited: {:?}", begun.elapsed());
    assert_eq!(stored(&db).await.owner, node.owner());
}

#[tokio::test]
async fn of_two_starters_one_wins() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let other = database.connect().await;
    for _ in 0..5 {
        let lease = Duration::from_secs(2);
        let (one, two) = tokio::join!(acquire(&db, lease), acquire(&other, lease));
        assert!(one.is_ok() != two.is_ok(), "one and only one");
        let (winner, loser) = if one.is_ok() { (one, two) } else { (two, one) };
        assert!(matches!(loser.err().unwrap(), RegistryError::InUse { .. }));
        winner.unwrap().0.release().await.unwrap();
    }
}

/// A process that sleeps, and is killed at the end.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("600").spawn().unwrap())
    }

    /// As the registry would name it: `model` is an owner in this process.
    fn owner(&self, model: &str) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let started = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap();
        let machine: Vec<_> = model.split('/').take(3).collect();
        format!("{}/{}/{started}/0", machine.join("/"), self.0.id())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_killed_on_this_machine_is_not_waited_for() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let (model, _) = acquire(&db, LONG).await.unwrap();
    let mut sleeper = Sleeper::start();
    let owner = sleeper.owner(model.owner());
    model.release().await.unwrap();
    node_registry::Entity::delete_by_id(i32::from(NODE)).exec(db.writer()).await.unwrap();
    left_behind(&db, &owner, LONG, 0).await;

    let mut starting = Box::pin(acquire(&db, LONG));
    let waiting = timeout(Duration::from_millis(600), &mut starting).await;
    assert!(waiting.is_err(), "it must wait while the process lives");
    // Not waited for by its parent, so that its remains stay behind as a zombie.
    sleeper.0.kill().unwrap();
    let (node, _) = timeout(SOON, starting).await.unwrap().unwrap();
    assert_eq!(stored(&db).await.owner, node.owner());
}

#[tokio::test]
async fn a_node_whose_row_was_taken_stops_issuing_and_returns_when_it_is_free() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let (_node, ids) = acquire(&db, Duration::from_millis(500)).await.unwrap();
    let change = |owner: &str, until_ms: i64| node_registry::ActiveModel {
        node_id: Set(NODE.into()),
        owner: Set(owner.to_owned()),
        lease_until_ms: Set(until_ms),
        ..Default::default()
    };
    change("elsewhere/b/n/1/1/0", i64::MAX).update(db.writer()).await.unwrap();
    wait_until("no more ids", SOON, async || ids.next() == Err(IdError::NoLease)).await;
    change("elsewhere/b/n/1/1/0", 0).update(db.writer()).await.unwrap();
    wait_until("ids again", SOON, async || ids.next().is_ok()).await;
}

#[rstest]
#[tokio::test]
async fn failures_of_the_cache_are_told_and_never_forgotten(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let failed = Arc::new(std::sync::Mutex::new(None));
    let told = Arc::clone(&failed);
    let lease = Duration::from_secs(1);
    let node =
        NodeLease::acquire(&db, NODE, lease, generator(), move || *told.lock().unwrap()).await.unwrap();
    assert_eq!(alive_nodes(&db).await.unwrap()[0].cache_failed_ms, None);
    *failed.lock().unwrap() = Some(1_700_000_000_123);
    wait_until("the failure is told", SOON, async || {
        alive_nodes(&db).await.unwrap()[0].cache_failed_ms == Some(1_700_000_000_123)
    })
    .await;
    node.release().await.unwrap();
    let (_node, _) = acquire(&db, lease).await.unwrap();
    assert_eq!(alive_nodes(&db).await.unwrap()[0].cache_failed_ms, Some(1_700_000_000_123));
}

/// Counts how often it was asked.
struct Counting(std::sync::atomic::AtomicU32);

impl NodeState for Counting {
    fn cache_failed_ms(&self) -> Option<i64> {
        None
    }

    fn report(&self) -> String {
        format!("asked {}", self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

#[rstest]
#[tokio::test]
async fn a_node_tells_what_it_counts_with_each_renewal(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let lease = Duration::from_secs(1);
    let _node = NodeLease::acquire(&db, NODE, lease, generator(), Counting(0.into())).await.unwrap();
    let first = alive_nodes(&db).await.unwrap();
    assert!(first[0].report.as_deref().is_some_and(|report| report.starts_with("asked ")), "{first:?}");
    assert!((0..60_000).contains(&first[0].seen_ms_ago), "{first:?}");
    assert_eq!(first[0].pid(), std::process::id().to_string());
    wait_until("a renewal", SOON, async || alive_nodes(&db).await.unwrap()[0].report != first[0].report)
        .await;
}
