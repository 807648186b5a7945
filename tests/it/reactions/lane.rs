//! Every reaction gets every event, in order, and nothing but the database holds a room up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use liveloom::event::{DomainEvent, StoredEvent, append, append_all};
use liveloom::reactions::{Reaction, ReactionError, start};
use prometheus::{Registry, TextEncoder};
use rstest::rstest;
use sea_orm::EntityTrait;
use store::db::Db;
use store::entity::room_lane;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::database::TestDatabase;
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

type Seen = Arc<Mutex<Vec<(String, i64)>>>;
type Failures = HashMap<(String, i64), Vec<ReactionError>>;

/// Takes down what it sees, after the failures that are planned for it.
struct Witness {
    name: &'static str,
    seen: Seen,
    failures: Mutex<Failures>,
}

#[async_trait]
impl Reaction for Witness {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError> {
        let key = (event.live_id.clone(), event.seq);
        let planned = self.failures.lock().unwrap().get_mut(&key).and_then(Vec::pop);
        match planned {
            Some(error) => Err(error),
            None => {
                self.seen.lock().unwrap().push(key);
                Ok(())
            }
        }
    }
}

fn witness(name: &'static str, failures: Failures) -> (Seen, Arc<dyn Reaction>) {
    let seen = Seen::default();
    let witness = Witness { name, seen: Arc::clone(&seen), failures: Mutex::new(failures) };
    (seen, Arc::new(witness))
}

struct Bed {
    db: Db,
    registry: Registry,
    running: TaskTracker,
    stop: CancellationToken,
    _database: TestDatabase,
}

impl Bed {
    async fn new(is_embedded: bool, reactions: Vec<Arc<dyn Reaction>>) -> Self {
        let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
        let db = database.migrated().await;
        let (registry, running, stop) = (Registry::new(), TaskTracker::new(), CancellationToken::new());
        start(db.clone(), 1, reactions, &registry, &running, &stop).unwrap();
        running.close();
        Self { db, registry, running, stop, _database: database }
    }

    async fn append(&self, live_ids: &[&str], count: usize) {
        let events: Vec<_> = live_ids
            .iter()
            .flat_map(|live_id| vec![((*live_id).to_owned(), DomainEvent::StreamUp); count])
            .collect();
        let db = &self.db;
        let done = db.transaction(|tx| {
            let events = &events;
            Box::pin(async move { append_all(tx, db, events, Utc::now()).await })
        });
        done.await.unwrap();
    }

    async fn lane(&self, live_id: &str) -> room_lane::Model {
        room_lane::Entity::find_by_id(live_id).one(self.db.writer()).await.unwrap().unwrap()
    }
}

fn of(seen: &Seen, live_id: &str) -> Vec<i64> {
    seen.lock().unwrap().iter().filter(|(room, _)| room == live_id).map(|(_, seq)| *seq).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reaction_sees_each_event_in_order(#[values(false, true)] is_embedded: bool) {
    let ((first, one), (second, two)) = (witness("one", HashMap::new()), witness("two", HashMap::new()));
    let bed = Bed::new(is_embedded, vec![one, two]).await;
    let rooms: Vec<String> = (1..=20).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    bed.append(&rooms, 25).await;
    bed.append(&rooms, 25).await;
    let expected: Vec<i64> = (1..=50).collect();
    for room in rooms {
        for seen in [&first, &second] {
            wait_until("all is seen", SOON, async || of(seen, room).len() >= 50).await;
            assert_eq!(of(seen, room), expected);
        }
    }
    bed.stop.cancel();
    bed.running.wait().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_database_that_fails_holds_a_room_up(#[values(false, true)] is_embedded: bool) {
    let unavailable = || ReactionError::Unavailable("away".into());
    let failures = HashMap::from([
        (("100".to_owned(), 2), vec![unavailable(), unavailable(), unavailable()]),
        (("200".to_owned(), 2), vec![ReactionError::Failed("nonsense".into())]),
    ]);
    let ((seen, one), (after, two)) = (witness("one", failures), witness("two", HashMap::new()));
    let bed = Bed::new(is_embedded, vec![one, two]).await;
    bed.append(&["100", "200", "300"], 4).await;
    wait_until("the room goes on", SOON, async || of(&seen, "100").len() == 4).await;
    assert_eq!(of(&seen, "100"), [1, 2, 3, 4], "in order");
    wait_until("the others do", SOON, async || of(&after, "200").len() == 4).await;
    assert_eq!(of(&seen, "200"), [1, 3, 4], "what fails for good is left");
    wait_until("the lane has nothing left", SOON, async || bed.lane("100").await.reaction_due.is_none())
        .await;
    let text = TextEncoder::new().encode_to_string(&bed.registry.gather()).unwrap();
    for line in [
        r#"liveloom_reaction_failures_total{reaction="one",result="failed"} 1"#,
        r#"liveloom_reaction_failures_total{reaction="one",result="retried"} 3"#,
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_follows_its_commit_closely() {
    let (seen, one) = witness("one", HashMap::new());
    let bed = Bed::new(false, vec![one]).await;
    let db = &bed.db;
    let mut took = Vec::new();
    for turn in 1..=20 {
        let done = db.transaction(|tx| {
            Box::pin(async move { append(tx, db, "100", &DomainEvent::StreamUp, Utc::now()).await })
        });
        done.await.unwrap();
        let committed = std::time::Instant::now();
        while of(&seen, "100").len() < turn && committed.elapsed() < SOON {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        took.push(committed.elapsed());
    }
    took.sort_unstable();
    // Polling alone would take 200 ms.
    assert!(took[10] < Duration::from_millis(100), "median {:?}", took[10]);
}

/// Panics at every second event.
struct Panics(Seen);

#[async_trait]
impl Reaction for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError> {
        assert_eq!(event.seq % 2, 0, "an event that nobody can react to");
        self.0.lock().unwrap().push((event.live_id.clone(), event.seq));
        Ok(())
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_that_panics_has_failed_and_everything_else_goes_on(
    #[values(false, true)] is_embedded: bool,
) {
    let (seen, other) = witness("other", HashMap::new());
    let half = Seen::default();
    let bed = Bed::new(is_embedded, vec![Arc::new(Panics(Arc::clone(&half))), other]).await;
    bed.append(&["100"], 6).await;
    wait_until("all is seen", SOON, async || of(&seen, "100").len() == 6).await;
    assert_eq!((of(&seen, "100"), of(&half, "100")), ((1..=6).collect(), vec![2, 4, 6]));
    wait_until("the lane is done", SOON, async || bed.lane("100").await.reaction_done == Some(6)).await;
    let text = TextEncoder::new().encode_to_string(&bed.registry.gather()).unwrap();
    let failed = "liveloom_reaction_failures_total{reaction=\"panics\",result=\"failed\"} 3";
    assert!(text.contains(failed), "{text}");
    bed.stop.cancel();
    bed.running.wait().await;
}
