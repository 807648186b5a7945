//! What is told, in which words and order, and how soon.

use std::time::Duration;

use liveloom::event::{DomainEvent, GiftRow, LiveRow, RelayRow, StopReason};
use liveloom::user::Register;
use rstest::rstest;
use serde_json::{Value, json};

use super::bed::{Bed, SOON, users};
use crate::support::callback_receiver::Mood;
use crate::support::wait::wait_until;

fn events() -> Vec<DomainEvent> {
    let room = LiveRow {
        id: 7,
        live_id: Some("100".into()),
        title: Some("寿司".into()),
        extends: Some(r#"{"a":"b"}"#.into()),
        anchor_id: Some("anna".into()),
        status: Some(0),
        start_at: Some(1_700_000_000),
        chat_id: Some(7_000_000_001),
        push_url: Some("rtmp://push".into()),
        rtmp_play_url: Some("rtmp://play".into()),
        flv_play_url: Some("http://play/flv".into()),
        hls_play_url: Some("http://play/hls".into()),
        ..LiveRow::default()
    };
    let relay = RelayRow {
        sid: "5".into(),
        init_room_id: "100".into(),
        recv_room_id: "200".into(),
        ..RelayRow::default()
    };
    let gift = GiftRow {
        biz_id: "9".into(),
        live_id: "100".into(),
        user_id: "bob".into(),
        amount: 3,
        ..GiftRow::default()
    };
    vec![
        DomainEvent::LiveCreated { room: Box::new(room) },
        DomainEvent::LiveStarted,
        DomainEvent::MicJoined { user_id: "bob".into() },
        DomainEvent::PkStarted { relay: Box::new(relay.clone()) },
        DomainEvent::GiftSent { gift: Box::new(gift) },
        DomainEvent::PkStopped { relay: Box::new(relay) },
        DomainEvent::LiveStopped { reason: StopReason::Censor },
        DomainEvent::CensorStopped { message: "bye".into() },
        DomainEvent::LiveDeleted,
    ]
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_is_told_in_its_words(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    users(&bed.db).await.register(Register::bare("anna")).await.unwrap();
    let node = bed.node().await;
    for event in events() {
        bed.append("100", &event).await;
    }
    bed.wait_calls("100", 7).await;
    let calls = bed.receiver.calls_of("100");
    let told: Vec<_> = calls.iter().map(|call| (call.seq, call.kind.as_str())).collect();
    let expected = [
        (1, "live_created"),
        (2, "live_started"),
        (4, "pk_started"),
        (5, "gift_send"),
        (6, "pk_stopped"),
        (7, "live_stopped"),
        (9, "live_deleted"),
    ];
    assert_eq!(told, expected);
    for call in [&calls[1], &calls[5], &calls[6]] {
        assert_eq!(call.body, json!({ "live_id": "100" }));
    }
    assert_eq!((&calls[2].body["sid"], &calls[2].body["ID"]), (&json!("5"), &json!(0)));
    assert_eq!(
        calls[3].body,
        json!({"biz_id": "9", "user_id": "bob", "live_id": "100", "anchor_id": "", "gift_id": 0, "amount": 3, "status": 0})
    );
    wait_until("the lane has nothing left", SOON, async || bed.partition("100").await.callback_due.is_none())
        .await;
    assert_eq!(bed.partition("100").await.callback_done, Some(9));
    assert_eq!(node.metric("liveloom_callback_attempts_total{result=\"ok\"}"), 7.0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_room_has_the_names_of_the_row_and_of_the_api() {
    let bed = Bed::new(true).await;
    users(&bed.db).await.register(Register::bare("anna")).await.unwrap();
    let _node = bed.node().await;
    bed.append("100", &events()[0]).await;
    bed.wait_calls("100", 1).await;
    let body = bed.receiver.calls_of("100").remove(0).body;
    let expected = json!({
        "id": 7, "live_id": "100", "title": "寿司", "notice": null, "extends": {"a": "b"},
        "anchor_id": "anna", "status": 0, "live_status": 0, "start_at": 1_700_000_000,
        "start_time": 1_700_000_000, "end_at": null, "end_time": 0, "chat_id": 7_000_000_001_i64,
        "push_url": "rtmp://push", "rtmp_play_url": "rtmp://play", "rtmp_url": "rtmp://play",
        "flv_play_url": "http://play/flv", "flv_url": "http://play/flv",
        "hls_play_url": "http://play/hls", "hls_url": "http://play/hls",
        "anchor_status": 0, "room_token": "", "pv": 0, "uv": 0, "total_count": 0, "total_mics": 0,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&body[key], value, "{key}");
    }
    assert_eq!(body["anchor_info"]["user_id"], "anna");
    assert!(body["anchor_info"]["im_userid"].as_i64().unwrap() > 0);
    assert!(body["anchor_info"].get("im_password").is_none());
    let names =
        ["cover_url", "pk_id", "online_count", "created_at", "stop_reason", "stop_user_id", "stop_at"];
    assert!(names.iter().all(|name| body.get(name).is_some()), "{body}");
    assert_ne!(body["deleted_at"], Value::String(String::new()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rooms_are_told_each_in_order(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let node = bed.node().await;
    let rooms: Vec<String> = (1..=30).map(|room| room.to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    for _ in 0..4 {
        bed.append_to(&rooms, 10).await;
    }
    for room in rooms {
        bed.wait_taken(room, 40).await;
    }
    assert_eq!(bed.receiver.count(), 1200, "each once");
    node.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_address_nothing_is_kept_for_later(#[values(false, true)] is_embedded: bool) {
    let mut bed = Bed::new(is_embedded).await;
    let addr = std::mem::take(&mut bed.config.addr);
    let off = bed.node().await;
    bed.append_to(&["100", "200"], 3).await;
    let skipped = async || bed.partition("100").await.callback_done == Some(3);
    wait_until("the events are skipped", SOON, skipped).await;
    off.stop().await;

    bed.config.addr = addr;
    let _on = bed.node().await;
    bed.append_to(&["100"], 1).await;
    bed.wait_calls("100", 1).await;
    assert_eq!(bed.receiver.calls()[0].seq, 4);
    assert_eq!(bed.receiver.count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_the_attempt_end_and_gives_the_lane_back(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let node = bed.node().await;
    bed.receiver.set_mood(Mood::Slow(Duration::from_millis(500)));
    bed.append_to(&["100"], 5).await;
    bed.wait_calls("100", 1).await;
    node.stop().await;
    let partition = bed.partition("100").await;
    let told = i64::try_from(bed.receiver.count()).unwrap();
    assert_eq!((partition.callback_done, partition.callback_owner), (Some(told), None));
    assert!(told < 5 && bed.seconds_to(partition.callback_due).await <= 0.0, "at once for others");
    bed.receiver.set_mood(Mood::Well);
    let _other = bed.node().await;
    bed.wait_taken("100", 5).await;
    assert_eq!(bed.receiver.count(), 5, "each once");
}
