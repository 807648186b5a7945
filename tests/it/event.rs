//! The event log: numbers of a room follow the commits, without gaps.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use liveloom::event::{DomainEvent, LiveRow, StopReason, append, append_all};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Statement};
use store::db::{Db, RetryableError, StoreError};
use store::entity::{event_log, live_entities, room_lane};

use crate::support::database::TestDatabase;

async fn database(is_embedded: bool) -> TestDatabase {
    if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await }
}

fn noon() -> DateTime<Utc> {
    "2026-05-06T12:00:00.9Z".parse().unwrap()
}

async fn append_one(db: &Db, live_id: &str, event: DomainEvent) -> Result<u64, StoreError> {
    db.transaction(|tx| {
        let event = &event;
        Box::pin(async move { append(tx, db, live_id, event, noon()).await })
    })
    .await
}

async fn append_to_all(db: &Db, events: &[(String, DomainEvent)]) -> Result<(), StoreError> {
    db.transaction(|tx| Box::pin(async move { append_all(tx, db, events, noon()).await })).await
}

async fn logged(db: &Db) -> Vec<event_log::Model> {
    event_log::Entity::find().order_by_asc(event_log::Column::Id).all(db.writer()).await.unwrap()
}

async fn numbers(db: &Db) -> BTreeMap<String, Vec<i64>> {
    let mut numbers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in logged(db).await {
        numbers.entry(row.live_id).or_default().push(row.seq);
    }
    numbers
}

fn room() -> LiveRow {
    LiveRow { id: 9, live_id: Some("100".into()), title: Some("寿司".into()), ..LiveRow::default() }
}

#[test]
fn kinds_and_bodies_are_what_other_services_know() {
    let cases = [
        (DomainEvent::LiveStarted, "live_started", "{}"),
        (DomainEvent::LiveStopped { reason: StopReason::Anchor }, "live_stopped", r#"{"reason":"anchor"}"#),
        (DomainEvent::LiveStopped { reason: StopReason::Server }, "live_stopped", r#"{"reason":"server"}"#),
        (DomainEvent::LiveStopped { reason: StopReason::Timeout }, "live_stopped", r#"{"reason":"timeout"}"#),
        (DomainEvent::LiveStopped { reason: StopReason::Censor }, "live_stopped", r#"{"reason":"censor"}"#),
        (DomainEvent::LiveStopped { reason: StopReason::Deleted }, "live_stopped", r#"{"reason":"deleted"}"#),
        (DomainEvent::LiveDeleted, "live_deleted", "{}"),
        (DomainEvent::AnchorLeft, "anchor_left", "{}"),
        (DomainEvent::StreamUp, "stream_up", "{}"),
        (DomainEvent::StreamDown, "stream_down", "{}"),
    ];
    for (event, kind, body) in cases {
        assert_eq!(event.encode().unwrap(), (kind.to_owned(), body.to_owned()));
        assert_eq!(DomainEvent::decode(kind, body).unwrap(), event);
    }
    let created = DomainEvent::LiveCreated { room: Box::new(room()) };
    let (kind, body) = created.encode().unwrap();
    assert_eq!(DomainEvent::decode(&kind, &body).unwrap(), created);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (kind.as_str(), &body["title"], &body["start_at"]),
        ("live_created", &"寿司".into(), &().into())
    );

    assert!(DomainEvent::decode("unheard_of", "{}").is_err());
    assert!(DomainEvent::decode("live_stopped", "{}").is_err());
    assert!(DomainEvent::decode("live_started", "no json").is_err());
}

#[rstest]
#[tokio::test]
async fn the_event_of_a_creation_holds_the_row(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    let sql = "INSERT INTO live_entities (live_id, title, status, chat_id, start_at, stop_reason) \
               VALUES ('100', 'a', 1, 7000000001, '2026-05-06 20:00:00', '')";
    db.writer().execute_unprepared(sql).await.unwrap();
    let model = live_entities::Entity::find().one(db.writer()).await.unwrap().unwrap();
    let row = LiveRow::of(&model, |wall| db.instant(wall));
    append_one(&db, "100", DomainEvent::LiveCreated { room: Box::new(row) }).await.unwrap();

    let logged = logged(&db).await.remove(0);
    assert_eq!((logged.live_id.as_str(), logged.seq, logged.created_at), ("100", 1, db.wall(noon())));
    let body: serde_json::Value = serde_json::from_str(&logged.body).unwrap();
    assert_eq!(body["chat_id"], 7_000_000_001_i64);
    assert_eq!(body["start_at"], noon().timestamp(), "wall-clock time of Shanghai as Unix seconds");
    assert_eq!(body["end_at"], serde_json::Value::Null);
    assert_eq!(body["stop_reason"], "");
    let columns: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(columns.len(), 26, "every column of the table: {columns:?}");
}

#[rstest]
#[tokio::test]
async fn concurrent_appends_to_one_room_leave_no_gap(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    append_one(&db, "100", DomainEvent::StreamUp).await.unwrap();
    let writers = (0..8).map(|writer| {
        let db = db.clone();
        tokio::spawn(async move {
            for turn in 0..25 {
                // Every fifth transaction is given up after it took its number.
                let gives_up = (writer + turn) % 5 == 0;
                let done: Result<u64, StoreError> = db
                    .transaction(|tx| {
                        let db = &db;
                        Box::pin(async move {
                            let seq = append(tx, db, "100", &DomainEvent::StreamDown, noon()).await?;
                            if gives_up { Err(StoreError::Setup("given up".into())) } else { Ok(seq) }
                        })
                    })
                    .await;
                assert_eq!(done.is_err(), gives_up, "{done:?}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let numbers = &numbers(&db).await["100"];
    // Rows are read in the order of their insertion, which is that of the commits: each was inserted
    // under the lock that its transaction held until the end.
    assert_eq!(*numbers, (1..=161).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_never_sees_a_number_before_a_lower_one() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let other = database.connect().await;
    append_one(&db, "100", DomainEvent::StreamUp).await.unwrap();
    let (taken, took) = tokio::sync::oneshot::channel();
    let (may_end, ending) = tokio::sync::oneshot::channel::<()>();
    let parts = std::sync::Mutex::new(Some((taken, ending)));
    let slow = db.transaction(|tx| {
        let (db, parts) = (&db, parts.lock().unwrap().take());
        Box::pin(async move {
            let seq = append(tx, db, "100", &DomainEvent::StreamDown, noon()).await?;
            let (taken, ending) = parts.expect("it is done once");
            taken.send(seq).unwrap();
            ending.await.unwrap();
            Ok::<_, StoreError>(seq)
        })
    });
    let quick = async {
        assert_eq!(took.await.unwrap(), 2);
        let mut second = Box::pin(append_one(&other, "100", DomainEvent::StreamUp));
        let waiting = tokio::time::timeout(Duration::from_millis(300), &mut second).await;
        assert!(waiting.is_err(), "number 3 must not be committed before number 2");
        assert_eq!(numbers(&other).await["100"], [1]);
        may_end.send(()).unwrap();
        second.await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((slow.unwrap(), quick.unwrap()), (2, 3));
}

fn thousand(event: &DomainEvent) -> Vec<(String, DomainEvent)> {
    (0..1000).map(|room| ((100_000 - room).to_string(), event.clone())).collect()
}

#[rstest]
#[tokio::test]
async fn many_rooms_get_their_events_at_once(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    append_one(&db, "99500", DomainEvent::StreamUp).await.unwrap();
    append_to_all(&db, &thousand(&DomainEvent::AnchorLeft)).await.unwrap();
    let stopped = DomainEvent::LiveStopped { reason: StopReason::Timeout };
    append_to_all(&db, &thousand(&stopped)).await.unwrap();
    append_to_all(&db, &[]).await.unwrap();
    let numbers = numbers(&db).await;
    assert_eq!(numbers.len(), 1000);
    for (room, numbers) in numbers {
        let expected: &[i64] = if room == "99500" { &[1, 2, 3] } else { &[1, 2] };
        assert_eq!(numbers, expected, "{room}");
    }
    let lane = room_lane::Entity::find_by_id("99500").one(db.writer()).await.unwrap().unwrap();
    assert_eq!(lane.seq, 3);
    let last = logged(&db).await.pop().unwrap();
    assert_eq!(DomainEvent::decode(&last.kind, &last.body).unwrap(), stopped);
}

#[rstest]
#[tokio::test]
async fn several_events_of_a_room_are_numbered_in_their_order(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    append_one(&db, "2", DomainEvent::LiveStarted).await.unwrap();
    let left = |user: &str| DomainEvent::MicLeft { user_id: user.to_owned() };
    let events = [("2", left("a")), ("1", left("b")), ("2", left("c")), ("2", DomainEvent::AnchorLeft)];
    append_to_all(&db, &events.map(|(room, event)| (room.to_owned(), event))).await.unwrap();
    assert_eq!(append_one(&db, "2", DomainEvent::LiveDeleted).await.unwrap(), 5);
    let rows = logged(&db).await;
    let of = |room: &str| -> Vec<(i64, DomainEvent)> {
        let rows = rows.iter().filter(|row| row.live_id == room);
        rows.map(|row| (row.seq, DomainEvent::decode(&row.kind, &row.body).unwrap())).collect()
    };
    assert_eq!(of("1"), [(1, left("b"))]);
    let wanted =
        [DomainEvent::LiveStarted, left("a"), left("c"), DomainEvent::AnchorLeft, DomainEvent::LiveDeleted];
    assert_eq!(of("2"), (1..).zip(wanted).collect::<Vec<_>>());
}

/// An error after which a transaction is not done again, so that a deadlock shows.
#[derive(Debug)]
struct Final(#[expect(dead_code, reason = "shown by a failing test")] StoreError);

impl From<StoreError> for Final {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl RetryableError for Final {
    fn is_retryable(&self) -> bool {
        false
    }
}

#[rstest]
#[tokio::test]
async fn batches_of_the_same_rooms_take_locks_in_one_order(#[values(false, true)] is_embedded: bool) {
    let database = database(is_embedded).await;
    let db = database.migrated().await;
    append_to_all(&db, &thousand(&DomainEvent::StreamUp)).await.unwrap();
    let append_once = async |events: &[(String, DomainEvent)]| -> Result<(), Final> {
        db.transaction(|tx| {
            let db = &db;
            Box::pin(async move { Ok(append_all(tx, db, events, noon()).await?) })
        })
        .await
    };
    let forwards = thousand(&DomainEvent::StreamDown);
    let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
    for _ in 0..10 {
        let (one, two) = tokio::join!(append_once(&backwards), append_once(&forwards));
        one.unwrap();
        two.unwrap();
    }
    let expected: Vec<i64> = (1..=21).collect();
    assert!(numbers(&db).await.values().all(|numbers| *numbers == expected));
}

/// Statements of this session so far, without BEGIN and COMMIT, and without this question.
async fn questions(tx: &impl ConnectionTrait) -> i64 {
    let sql = "SHOW SESSION STATUS LIKE 'Questions'";
    let row = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), sql)).await.unwrap();
    let value: String = row.unwrap().try_get("", "Value").unwrap();
    value.parse().unwrap()
}

#[tokio::test]
async fn appending_costs_two_statements_and_to_many_rooms_three() {
    let database = TestDatabase::create().await;
    let db = database.migrated().await;
    let events = thousand(&DomainEvent::AnchorLeft);
    let (one, many) = db
        .transaction(|tx| {
            let (db, events) = (&db, &events);
            Box::pin(async move {
                // Once beforehand: the first time, statements are also prepared.
                append(tx, db, "1", &DomainEvent::StreamUp, noon()).await?;
                append_all(tx, db, events, noon()).await?;
                let before = questions(tx).await;
                let asked = questions(tx).await - before;
                append(tx, db, "1", &DomainEvent::StreamDown, noon()).await?;
                let between = questions(tx).await;
                append_all(tx, db, events, noon()).await?;
                let after = questions(tx).await;
                Ok::<_, StoreError>((between - before - 2 * asked, after - between - asked))
            })
        })
        .await
        .unwrap();
    assert_eq!((one, many), (2, 3));
}
