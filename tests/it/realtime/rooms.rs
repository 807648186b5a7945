//! Rooms: who follows them, what they are told, and what moderation does to connections.

use rstest::rstest;
use serde_json::{Value, json};

use super::bed::{Bed, join, leave, said};
use crate::support::fake_payment::FakePayment;
use crate::support::follower::Follower;
use crate::support::realtime::Socket;
use crate::support::server::Backend;

#[rstest]
#[tokio::test]
async fn a_room_is_for_those_who_are_in_it(#[values(Backend::Embedded, Backend::Redis)] backend: Backend) {
    let bed = Bed::start(backend, "").await;
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let (live_id, room) = bed.room(&anchor).await;
    at_anchor.follow(&room).await;
    let (viewer, mut phone) = bed.user("viewer").await;
    assert_eq!(phone.refused("subscribe", json!({"channel": room})).await, 403);
    assert_eq!(phone.refused("history", json!({"channel": room})).await, 403);
    assert_eq!(phone.refused("presence", json!({"channel": room})).await, 403);
    let hello = json!({"channel": room, "action": "liveroom-pubchat", "data": "hello"});
    assert_eq!(phone.refused("publish", hello).await, 403);

    join(&viewer, &live_id).await;
    assert_eq!(count_of(&mut at_anchor, 2).await["live_id"], live_id);
    let mut desk = Socket::log_in(&bed.url(), viewer.token()).await;
    phone.follow(&room).await;
    desk.follow(&room).await;
    let present = phone.result("presence", json!({"channel": room})).await;
    assert_eq!(present["online_count"], 2);
    let ids: Vec<_> = present["users"].as_array().unwrap().iter().map(|user| &user["user_id"]).collect();
    assert_eq!(ids, ["viewer", "anchor"]);

    leave(&viewer, &live_id).await;
    for socket in [&mut phone, &mut desk] {
        assert_eq!(ended(socket, &room).await, 403);
        assert_eq!(socket.refused("subscribe", json!({"channel": room})).await, 403);
    }
    count_of(&mut at_anchor, 1).await;
}

#[rstest]
#[tokio::test]
async fn one_who_goes_to_another_room_hears_the_first_no_more(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
) {
    let bed = Bed::start(backend, "").await;
    let (one, _) = bed.user("one").await;
    let (other, _) = bed.user("other").await;
    let ((first, first_room), (second, second_room)) = (bed.room(&one).await, bed.room(&other).await);
    let (viewer, mut socket) = bed.viewer("viewer", &first).await;
    join(&viewer, &second).await;
    assert_eq!(ended(&mut socket, &first_room).await, 403);
    socket.follow(&second_room).await;
}

/// Whoever had no network for so long that silence put them out comes back with their subscription.
#[rstest]
#[tokio::test]
async fn one_whom_silence_put_out_comes_back(#[values(Backend::Embedded, Backend::Redis)] backend: Backend) {
    let bed = Bed::start(backend, "live: {viewer_timeout_s: 10}").await;
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let (live_id, room) = bed.room(&anchor).await;
    at_anchor.follow(&room).await;
    let viewer = bed.client.log_in("viewer").await;
    join(&viewer, &live_id).await;
    let mut follower = Follower::new(&[bed.url()], viewer.token(), &room);
    follower.come(0).await;
    count_of(&mut at_anchor, 2).await;
    follower.cut();
    count_of(&mut at_anchor, 1).await;
    let last = at_anchor.say(&room, "meanwhile").await;
    follower.come(0).await;
    assert_eq!((follower.recovered, follower.unrecovered), (1, 0));
    assert!(follower.offset() >= last);
    assert!(follower.heard.values().any(|text| text == "meanwhile"));
    assert_eq!(at_anchor.result("presence", json!({"channel": room})).await["online_count"], 2);
}

/// What the server has to say about likes, gifts and the life of a room.
#[rstest]
#[tokio::test]
async fn what_happens_in_a_room_is_told_there(
    #[values(Backend::Embedded, Backend::Redis, Backend::RedisCluster)] backend: Backend,
) {
    let payer = FakePayment::start().await;
    let bed = Bed::start(backend, &payer.yaml()).await;
    let gift = json!({"gift_id": 1, "name": "rose", "amount": 5});
    assert_eq!(bed.client.post("/server/gift/config", gift).await.status, 200);
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let room = anchor.post("/client/live/room/instance", json!({"title": "t"})).await.data();
    let live_id = room["live_id"].as_str().unwrap().to_owned();
    let (viewer, mut at_viewer) = bed.viewer("viewer", &live_id).await;
    anchor.put(&format!("/client/live/room/{live_id}"), json!({})).await.data();
    assert_eq!(said(&at_viewer.next_of("live_started").await).0, "anchor");
    at_anchor.follow(&format!("room:{live_id}")).await;

    viewer.put(&format!("/client/live/room/{live_id}/like"), json!({"count": 3})).await.data();
    viewer.post("/client/gift/send", json!({"live_id": live_id, "gift_id": 1, "amount": 5})).await.data();
    for socket in [&mut at_anchor, &mut at_viewer] {
        let (like, gift) = both(socket, "like_notify", "gift_notify").await;
        let expected = json!({"live_id": live_id, "user_id": "viewer", "count": 3});
        assert_eq!(said(&like), ("viewer", &expected));
        let (from, data) = said(&gift);
        assert_eq!((from, &data["gift_id"], &data["amount"]), ("viewer", &json!(1), &json!(5)));
        assert_eq!((&data["live_id"], &data["user_id"]), (&json!(live_id), &json!("viewer")));
    }
    anchor.delete(&format!("/client/live/room/{live_id}")).await.data();
    assert_eq!(said(&at_viewer.next_of("live_stopped").await).1["live_id"], live_id);
}

#[tokio::test]
async fn users_reach_each_other_in_a_room_and_in_a_pk() {
    let bed = Bed::start(Backend::Embedded, "").await;
    let ((one, mut at_one), (other, mut at_other)) = (bed.user("one").await, bed.user("other").await);
    let ((first, first_room), (second, second_room)) = (bed.room(&one).await, bed.room(&other).await);
    at_one.follow(&first_room).await;
    at_other.follow(&second_room).await;
    at_other.follow("user:other").await;
    let invite = json!({"channel": "user:other", "action": "invite_send", "data": {"to": "other"}});
    assert_eq!(at_one.refused("publish", invite.clone()).await, 403, "they are in two rooms");
    let pk = json!({"init_room_id": first, "recv_room_id": second, "recv_user_id": "other"});
    one.post("/client/relay/start", pk).await.data();
    at_one.result("publish", invite.clone()).await;
    let push = at_other.next_of("invite_send").await;
    assert_eq!((&push["channel"], said(&push)), (&json!("user:other"), ("one", &json!({"to": "other"}))));

    let (_, mut guest) = bed.viewer("guest", &second).await;
    guest.result("publish", invite).await;
    assert_eq!(said(&at_other.next_of("invite_send").await).0, "guest");
    let stranger = json!({"channel": "user:nobody", "action": "invite_send", "data": null});
    assert_eq!(guest.refused("publish", stranger).await, 403);
}

#[tokio::test]
async fn what_only_the_server_says_is_refused_from_users() {
    let bed = Bed::start(Backend::Embedded, "realtime: {publish_per_user_s: 0}").await;
    let (anchor, mut socket) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    socket.follow(&room).await;
    for action in [
        "like_notify",
        "gift_notify",
        "pk_extends_notify",
        "censor_stop",
        "censor_notify",
        "live_started",
        "live_stopped",
        "online_count",
        "muted",
        "unmuted",
        "banned",
        "kicked",
        "deleted",
        "slow_mode",
        "room_muted",
        "moderators",
    ] {
        let params = json!({"channel": room, "action": action, "data": {"count": 1_000_000}});
        assert_eq!(socket.refused("publish", params).await, 403, "{action}");
    }
    // Who sends what, and when, is the server's to say.
    let forged = json!({"channel": room, "action": "x", "data": 1, "from": "other", "ts": 5, "offset": 99});
    socket.result("publish", forged).await;
    let push = socket.next_of("x").await;
    assert_eq!(said(&push), ("anchor", &json!(1)));
    assert!(push["pub"]["ts"].as_i64().unwrap() > 1_700_000_000_000);
}

/// What moderators do at one node holds for those who are connected to the other.
#[rstest]
#[tokio::test]
async fn moderation_reaches_connections_of_other_nodes(
    #[values(Backend::Redis, Backend::RedisCluster)] backend: Backend,
) {
    let here = Bed::start(backend, "realtime: {publish_per_user_s: 0}").await;
    let there = here.beside(2).await;
    let (anchor, mut at_anchor) = here.user("anchor").await;
    let (live_id, room) = here.room(&anchor).await;
    at_anchor.follow(&room).await;
    let (guest, mut socket) = there.viewer("guest", &live_id).await;
    let moderation = format!("/client/live/room/{live_id}/moderation");
    let say = json!({"channel": room, "action": "liveroom-pubchat", "data": "a rude word"});

    let offset = socket.say(&room, "something bad").await;
    let epoch = socket.result("history", json!({"channel": room})).await["epoch"].clone();
    let message = format!("{moderation}/messages/{}/{offset}", epoch.as_str().unwrap());
    anchor.delete(&message).await.data();
    assert_eq!(said(&socket.next_of("deleted").await).1["offset"], offset);
    let history = socket.result("history", json!({"channel": room})).await;
    let kept = history["publications"].as_array().unwrap().iter().find(|kept| kept["offset"] == offset);
    assert_eq!(kept.unwrap()["pub"]["deleted"], true);
    assert!(!history.to_string().contains("something bad"));

    anchor.put(&format!("{moderation}/mutes/guest"), json!({"duration_s": 600})).await.data();
    socket.next_of("muted").await;
    let refused = socket.ask("publish", say.clone()).await;
    assert_eq!(refused["error"]["code"], 403, "{refused}");
    assert!(refused["error"]["retry_after_ms"].as_i64().unwrap() > 500_000, "{refused}");
    anchor.delete(&format!("{moderation}/mutes/guest")).await.data();
    socket.next_of("unmuted").await;
    socket.result("publish", say.clone()).await;

    anchor.put(&moderation, json!({"slow_mode_s": 600})).await.data();
    socket.next_of("slow_mode").await;
    socket.result("publish", say.clone()).await;
    let refused = socket.ask("publish", say.clone()).await;
    assert_eq!(refused["error"]["code"], 429, "{refused}");
    assert!(refused["error"]["retry_after_ms"].as_i64().unwrap() > 500_000, "{refused}");
    anchor.put(&moderation, json!({"slow_mode_s": 0, "is_muted": true})).await.data();
    socket.next_of("room_muted").await;
    assert_eq!(socket.refused("publish", say.clone()).await, 403);
    at_anchor.result("publish", say.clone()).await;

    anchor.post(&format!("{moderation}/kick/guest"), json!({})).await.data();
    assert_eq!(ended(&mut socket, &room).await, 403);
    join(&guest, &live_id).await;
    socket.follow(&room).await;
    anchor.put(&format!("{moderation}/bans/guest"), json!({})).await.data();
    assert_eq!(ended(&mut socket, &room).await, 403);
    assert_eq!(socket.refused("subscribe", json!({"channel": room})).await, 403);

    here.client.put("/server/bans/guest", json!({"reason": "spam"})).await.data();
    assert_eq!(socket.close_code().await, 3501);
    let mut again = Socket::open(&format!("{}?token={}", there.url(), guest.token())).await;
    assert_eq!(again.close_code().await, 3501);
}

#[tokio::test]
async fn banned_words_are_refused_wherever_one_writes() {
    let bed = Bed::start(Backend::Embedded, "realtime: {publish_per_user_s: 0}").await;
    let (anchor, mut socket) = bed.user("anchor").await;
    let (_, room) = bed.room(&anchor).await;
    socket.follow(&room).await;
    bed.client.post("/server/banned_words", json!({"words": ["rude"]})).await.data();
    for channel in [&*room, "user:anchor"] {
        for data in [json!("so R-u.d e!"), json!({"content": {"text": ["ｒｕｄｅ"]}})] {
            let params = json!({"channel": channel, "action": "living_danmu", "data": data});
            assert_eq!(socket.refused("publish", params).await, 403, "{channel} {data}");
        }
        let kind = json!({"channel": channel, "action": "living_danmu", "data": "so kind"});
        socket.result("publish", kind).await;
    }
}

/// The message of how many are in, once it says so.
async fn count_of(socket: &mut Socket, count: i64) -> Value {
    loop {
        let push = socket.next_of("online_count").await;
        if said(&push).1["online_count"] == count {
            return said(&push).1.clone();
        }
    }
}

/// The code with which the server ends what is heard of a channel.
async fn ended(socket: &mut Socket, channel: &str) -> i64 {
    loop {
        let push = socket.next_push().await;
        if let Some(code) = push["unsubscribed"]["code"].as_i64() {
            assert_eq!(push["channel"], channel);
            return code;
        }
    }
}

/// The next messages of two actions, in either order.
async fn both(socket: &mut Socket, one: &str, other: &str) -> (Value, Value) {
    let (mut first, mut second) = (Value::Null, Value::Null);
    while first.is_null() || second.is_null() {
        let push = socket.next_push().await;
        let action = push["pub"]["action"].clone();
        if action == one {
            first = push;
        } else if action == other {
            second = push;
        }
    }
    (first, second)
}

/// However short the time-out is, the connection's own heartbeats are shorter.
#[rstest]
#[tokio::test]
async fn who_is_connected_is_never_silent(#[values(Backend::Embedded, Backend::Redis)] backend: Backend) {
    let bed = Bed::start(backend, "live: {viewer_timeout_s: 3}").await;
    let (anchor, mut at_anchor) = bed.user("anchor").await;
    let (live_id, room) = bed.room(&anchor).await;
    at_anchor.follow(&room).await;
    let (_, mut at_viewer) = bed.viewer("viewer", &live_id).await;
    // Three times as long as it takes until others are out.
    for number in 0..3 {
        let silent = bed.client.log_in(&format!("silent-{number}")).await;
        join(&silent, &live_id).await;
        count_of(&mut at_anchor, 3).await;
        count_of(&mut at_anchor, 2).await;
    }
    let present = at_viewer.result("presence", json!({"channel": room})).await;
    let users: Vec<&str> =
        present["users"].as_array().unwrap().iter().filter_map(|user| user["user_id"].as_str()).collect();
    assert_eq!(users.len(), 2, "{present}");
    assert!(users.contains(&"anchor") && users.contains(&"viewer"), "{present}");
}
