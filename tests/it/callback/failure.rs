//! Receivers that fail: in one room, in all, for a while, for good.

use std::time::{Duration, Instant};

use liveloom::callback::{Error, Filter, State};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use store::db::Dialect;

use super::bed::{Bed, SOON};
use crate::support::callback_receiver::Mood;
use crate::support::wait::wait_until;

fn only(state: State) -> Filter {
    Filter { state: Some(state), live_id: None }
}

/// The pauses before the second and each further attempt, in seconds.
const PAUSES: [f64; 7] = [5.0, 30.0, 120.0, 600.0, 3600.0, 10_800.0, 43_200.0];

fn assert_pause(actual: f64, expected: f64) {
    // A busy machine may look a little late.
    assert!(actual <= expected * 1.2 && actual >= expected * 0.8 - 3.0, "{actual} instead of {expected}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_tried_as_the_table_says_and_then_kept(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.receiver.set_mood_for("100", Mood::Code(7));
    let node = bed.node().await;
    bed.append_to(&["100"], 1).await;
    for attempts in 1..=8 {
        bed.wait_calls("100", attempts).await;
        let pause = PAUSES.get(attempts - 1);
        if attempts < 3 {
            let failed = i32::try_from(attempts).unwrap();
            wait_until("it is recorded", SOON, async || bed.lane("100").await.callback_attempts == failed)
                .await;
            let lane = bed.lane("100").await;
            assert_eq!(lane.callback_done, Some(0), "the lane waits");
            assert_pause(bed.seconds_to(lane.callback_due).await, *pause.unwrap());
        } else {
            let failed = i32::try_from(attempts).unwrap();
            wait_until("it is recorded", SOON, async || {
                let rows = bed.list(Filter::default()).await;
                rows.first().is_some_and(|row| row.attempts == failed)
            })
            .await;
            assert_eq!(bed.lane("100").await.callback_due, None, "the lane goes on");
            let row = bed.row().await;
            assert_eq!((row.last_error.as_str(), row.kind.as_str()), ("code 7", "live_started"));
            match pause {
                Some(pause) => assert_pause(bed.seconds_to(row.due).await, *pause),
                None => assert_eq!(row.due, None),
            }
        }
        bed.pass(Duration::from_secs_f64(pause.unwrap_or(&90_000.0) * 1.3)).await;
    }
    assert_eq!(bed.receiver.count(), 8);
    assert!(bed.list(only(State::Pending)).await.is_empty());
    let failed = bed.list(only(State::Failed)).await.remove(0);
    assert_eq!((failed.webhook_id.as_str(), failed.seq, failed.next_at), ("evt_100_1", 1, None));
    assert_eq!(node.metric("liveloom_callback_attempts_total{result=\"code\"}"), 8.0);

    bed.receiver.set_mood_for("100", Mood::Well);
    bed.deliveries.retry("evt_100_1").await.unwrap();
    bed.wait_taken("100", 1).await;
    wait_until("it is recorded", SOON, async || bed.list(only(State::Delivered)).await.len() == 1).await;
    assert!(matches!(bed.deliveries.retry("evt_100_1").await, Err(Error::Delivered)));
    assert!(matches!(bed.deliveries.retry("evt_100_2").await, Err(Error::NotFound)));
    assert_eq!(bed.deliveries.retry_all_failed().await.unwrap(), 0);
    node.stop().await;
}

#[rstest]
#[case::code(Mood::Code(10), "code 10")]
#[case::not_found(Mood::Status(404), "HTTP status 404")]
#[case::broken(Mood::Status(500), "HTTP status 500")]
#[case::redirect(Mood::Redirect, "HTTP status 307, and redirects are not followed")]
#[case::too_long(Mood::Bytes(vec![b' '; 70_000]), "an answer of more than 64 KiB")]
#[case::no_json(Mood::Bytes(b"ok".to_vec()), "an answer without an integer code")]
#[case::no_code(Mood::Bytes(b"{}".to_vec()), "an answer without an integer code")]
#[case::text_code(Mood::Bytes(br#"{"code":"0"}"#.to_vec()), "an answer without an integer code")]
#[case::too_slow(Mood::Slow(Duration::from_secs(9)), "no answer in time")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_else_than_2xx_with_code_0_is_success(#[case] mood: Mood, #[case] error: &str) {
    let mut bed = Bed::new(true).await;
    (bed.config.max_attempts, bed.config.timeout_s) = (1, 1);
    bed.receiver.set_mood_for("100", mood);
    let _node = bed.node().await;
    bed.append_to(&["100", "200"], 1).await;
    bed.wait_taken("200", 1).await;
    wait_until("it is kept", SOON, async || bed.list(only(State::Failed)).await.len() == 1).await;
    assert_eq!(bed.row().await.last_error, error);
    assert_eq!(bed.receiver.calls_of("100").len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_fails_delays_no_other_and_itself_only_three_times(
    #[values(false, true)] is_embedded: bool,
) {
    let bed = Bed::new(is_embedded).await;
    bed.receiver.set_mood_for("100", Mood::Status(500));
    let _node = bed.node().await;
    bed.append_to(&["100", "200", "300"], 3).await;
    bed.wait_taken("200", 3).await;
    bed.wait_taken("300", 3).await;
    for failed in 1..=2 {
        wait_until("it is recorded", SOON, async || bed.lane("100").await.callback_attempts == failed).await;
        bed.pass(Duration::from_secs(40)).await;
    }
    wait_until("it left", SOON, async || bed.list(only(State::Pending)).await.len() == 1).await;
    assert!(bed.receiver.calls_of("100").iter().take(3).all(|call| call.seq == 1));
    bed.receiver.set_mood_for("100", Mood::Well);
    bed.pass(Duration::from_secs(40)).await;
    let others = async || bed.receiver.taken("100") == [2, 3];
    wait_until("those after it are told meanwhile", SOON, others).await;
    bed.pass(Duration::from_secs(150)).await;
    wait_until("it is told", SOON, async || bed.receiver.taken("100") == [2, 3, 1]).await;
    let ids: std::collections::BTreeSet<_> = bed
        .receiver
        .calls_of("100")
        .into_iter()
        .filter(|call| call.seq == 1)
        .map(|call| call.webhook_id)
        .collect();
    assert_eq!(ids.len(), 1, "always under one id");
}

#[rstest]
#[case::seconds(Mood::RetryAfter(429, "50".into()), 48.0, 50.0)]
#[case::date(
    Mood::RetryAfter(503, (chrono::Utc::now() + chrono::TimeDelta::seconds(59)).format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    20.0,
    59.0
)]
#[case::nonsense(Mood::RetryAfter(429, "soon".into()), 1.0, 6.0)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_may_ask_for_a_pause(#[case] mood: Mood, #[case] least: f64, #[case] most: f64) {
    let bed = Bed::new(true).await;
    bed.receiver.set_mood_for("100", mood);
    let _node = bed.node().await;
    bed.append_to(&["100"], 1).await;
    wait_until("it is recorded", SOON, async || bed.lane("100").await.callback_attempts == 1).await;
    let pause = bed.seconds_to(bed.lane("100").await.callback_due).await;
    assert!((least..=most).contains(&pause), "{pause}");
}

#[rstest]
#[case::gone(Mood::Status(410), State::Failed)]
#[case::a_long_pause(Mood::RetryAfter(429, "600".into()), State::Pending)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_must_not_be_tried_soon_leaves_its_lane(#[case] mood: Mood, #[case] state: State) {
    let bed = Bed::new(true).await;
    bed.receiver.set_mood_for("100", mood);
    let _node = bed.node().await;
    bed.append_to(&["100"], 1).await;
    wait_until("it left", SOON, async || bed.list(only(state)).await.len() == 1).await;
    assert_eq!((bed.receiver.count(), bed.row().await.attempts), (1, 1));
    bed.receiver.set_mood_for("100", Mood::Well);
    bed.append_to(&["100"], 1).await;
    wait_until("the lane goes on", SOON, async || bed.receiver.taken("100") == [2]).await;
}

#[rstest]
#[case::refusing(None)]
#[case::broken(Some(Mood::Status(503)))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_is_probed_and_misses_nothing(#[case] mood: Option<Mood>) {
    let mut bed = Bed::new(false).await;
    let node = bed.node().await;
    let rooms: Vec<String> = (1..=40).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    match &mood {
        None => bed.receiver.go_down(),
        Some(mood) => bed.receiver.set_mood(mood.clone()),
    }
    let label = if mood.is_some() { "status" } else { "unreachable" };
    let attempts = || node.metric(&format!("liveloom_callback_attempts_total{{result=\"{label}\"}}"));
    // One by one, so that few are under way when the breaker opens.
    for (index, room) in rooms.iter().enumerate().take(10) {
        bed.append_to(&[room], 2).await;
        if index < 8 {
            let failed = async || bed.lane(room).await.callback_attempts == 1;
            wait_until("its first attempt failed", SOON, failed).await;
        }
    }
    assert_eq!(node.metric("liveloom_callback_breaker_open"), 1.0);
    bed.append_to(&rooms[10..], 2).await;
    let before = attempts();
    let probing = Instant::now();
    // The first pause is a second, each further one is twice as long: the third probe is out after
    // 1 + 2 + 4 seconds at the least 20 % less.
    wait_until("it is probed", SOON, async || attempts() >= before + 3.0).await;
    assert!(probing.elapsed() > Duration::from_secs(4), "{:?}", probing.elapsed());
    assert!(bed.list(Filter::default()).await.is_empty(), "no event is given up");
    for room in &rooms {
        assert!(bed.free_lane(room).await.callback_attempts <= 1, "probes do not count");
    }
    bed.receiver.set_mood(Mood::Well);
    if mood.is_none() {
        bed.receiver.come_up().await;
    }
    bed.pass(Duration::from_secs(10)).await;
    for room in rooms {
        bed.wait_taken(room, 2).await;
    }
    assert_eq!(node.metric("liveloom_callback_breaker_open"), 0.0);
    node.stop().await;
}

/// Lets no row of `callback_delivery` be stored for this room.
async fn refuse_rows_of(bed: &Bed, live_id: &str) {
    let sql = match bed.db.dialect() {
        Dialect::MySql => format!(
            "CREATE TRIGGER poison BEFORE INSERT ON callback_delivery FOR EACH ROW \
             IF NEW.live_id = '{live_id}' THEN SIGNAL SQLSTATE '45000'; END IF"
        ),
        Dialect::Sqlite => format!(
            "CREATE TRIGGER poison BEFORE INSERT ON callback_delivery WHEN NEW.live_id = '{live_id}' \
             BEGIN SELECT RAISE(ABORT, 'poison'); END"
        ),
    };
    bed.db.writer().execute_unprepared(&sql).await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_can_never_be_stored_makes_no_other_room_repeat_its_callbacks(
    #[values(false, true)] is_embedded: bool,
) {
    let mut bed = Bed::new(is_embedded).await;
    bed.config.max_attempts = 1;
    refuse_rows_of(&bed, "7").await;
    let rooms: Vec<String> = (1..=60).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    // Half of them leave their lanes, among them the one that cannot.
    for room in &rooms[..30] {
        bed.receiver.set_mood_for(room, Mood::Code(7));
    }
    bed.append_to(&rooms, 1).await;
    let node = bed.node().await;
    for room in rooms.iter().filter(|room| **room != "7") {
        wait_until("the room is done with", SOON, async || bed.lane(room).await.callback_due.is_none()).await;
    }
    assert_eq!(bed.list(only(State::Failed)).await.len(), 29);
    let waiting = bed.free_lane("7").await;
    assert_eq!((waiting.callback_done, waiting.callback_attempts), (Some(0), 1), "nothing is given up");
    assert!(bed.seconds_to(waiting.callback_due).await > 60.0, "and not tried again and again");
    for room in &rooms {
        assert_eq!(bed.receiver.calls_of(room).len(), 1, "{room}");
    }

    bed.db.writer().execute_unprepared("DROP TRIGGER poison").await.unwrap();
    bed.receiver.set_mood_for("7", Mood::Well);
    bed.append_to(&["7"], 1).await;
    bed.pass(Duration::from_secs(20 * 60)).await;
    bed.wait_taken("7", 2).await;
    node.stop().await;
}

/// The same of callbacks that left their lanes, whose results are recorded together.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_can_never_be_stored_makes_no_other_callback_repeat(
    #[values(false, true)] is_embedded: bool,
) {
    let bed = Bed::new(is_embedded).await;
    let rooms: Vec<String> = (1..=20).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    bed.receiver.set_mood(Mood::RetryAfter(429, "600".into()));
    let node = bed.node().await;
    bed.append_to(&rooms, 1).await;
    wait_until("all have left", SOON, async || bed.list(only(State::Pending)).await.len() == 20).await;
    let sql = match bed.db.dialect() {
        Dialect::MySql => {
            "CREATE TRIGGER poison BEFORE UPDATE ON callback_delivery FOR EACH ROW \
             IF NEW.live_id = '7' AND NEW.state = 2 THEN SIGNAL SQLSTATE '45000'; END IF"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER poison BEFORE UPDATE ON callback_delivery WHEN NEW.live_id = '7' AND NEW.state = 2 \
             BEGIN SELECT RAISE(ABORT, 'poison'); END"
        }
    };
    bed.db.writer().execute_unprepared(sql).await.unwrap();
    bed.receiver.set_mood(Mood::Well);
    bed.pass(Duration::from_secs(20 * 60)).await;
    wait_until("the others are recorded", SOON, async || bed.list(only(State::Delivered)).await.len() == 19)
        .await;
    for room in rooms.iter().filter(|room| **room != "7") {
        assert_eq!(bed.receiver.calls_of(room).len(), 2, "{room}");
    }
    node.stop().await;
}
