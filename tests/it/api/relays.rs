//! http-api.md §7: PKs between two rooms.

use serde_json::{Value, json};

use super::answer::Answer;
use super::world::{User, now, unique};
use super::{Api, Verdict, cases, sign};

cases![
    a_pk_binds_both_rooms,
    a_pk_is_read_by_anybody,
    only_the_anchors_of_live_rooms_start_one,
    a_room_is_in_one_pk_at_most,
    each_anchor_gets_a_token_for_the_other_room,
    both_sides_report_once,
    a_stop_frees_both_rooms,
    after_its_end_a_pk_is_only_read,
    maps_are_merged,
    pks_want_credentials,
    bad_starts_are_refused,
    unknown_pks_are_not_found,
];

/// Two anchors with live rooms.
struct Pair {
    init: User,
    init_room: String,
    recv: User,
    recv_room: String,
}

impl Pair {
    async fn new(api: &Api) -> Self {
        let (init, recv) = (api.user().await, api.user().await);
        let (init_room, recv_room) = (api.live_room(&init).await, api.live_room(&recv).await);
        Self { init, init_room, recv, recv_room }
    }

    fn body(&self) -> Value {
        json!({"init_room_id": self.init_room, "recv_room_id": self.recv_room, "recv_user_id": self.recv.id})
    }

    /// Starts the PK; returns its id.
    async fn start(&self, api: &Api) -> String {
        let answer = start(api, &self.init, &self.body()).await;
        answer.ok()["relay_id"].as_str().unwrap().to_owned()
    }

    /// The PKs that the room objects name.
    async fn named(&self, api: &Api) -> [String; 2] {
        let of = async |room: &str| api.server_info(room).await["pk_id"].as_str().unwrap().to_owned();
        [of(&self.init_room).await, of(&self.recv_room).await]
    }
}

async fn start(api: &Api, user: &User, body: &Value) -> Answer {
    api.post("/client/relay/start").by(user).json(body).send().await
}

async fn act(api: &Api, user: &User, sid: &str, what: &str) -> Answer {
    api.post(format!("/client/relay/{sid}/{what}")).by(user).send().await
}

async fn info(api: &Api, user: &User, sid: &str) -> Value {
    api.get(format!("/client/relay/{sid}")).by(user).send().await.ok().clone()
}

async fn a_pk_binds_both_rooms(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let mut body = pair.body();
    body["extends"] = json!({"game": "chess"});
    let answer = start(&api, &pair.init, &body).await;
    let pk = answer.ok();
    assert_eq!(pk["relay_status"], 1);
    assert!(pk["relay_token"].is_string());
    let sid = pk["relay_id"].as_str().unwrap();
    assert!(sid.parse::<u64>().is_ok_and(|id| id > 1 << 40), "a snowflake: {sid}");
    assert_eq!(pair.named(&api).await, [sid, sid]);
    let relay = info(&api, &pair.init, sid).await;
    assert!(relay["ID"].is_u64(), "{relay}");
    let ids =
        ["sid", "init_user_id", "init_room_id", "recv_user_id", "recv_room_id"].map(|key| relay[key].clone());
    assert_eq!(
        ids,
        [sid, &pair.init.id, &pair.init_room, &pair.recv.id, &pair.recv_room].map(|id| json!(id))
    );
    assert_eq!((&relay["status"], &relay["extends"]), (&json!(1), &json!({"game": "chess"})));
    assert_eq!((&relay["start_at"], &relay["stop_at"]), (&Value::Null, &Value::Null));
    for at in ["created_at", "updated_at"] {
        assert!((now() - 60..=now()).contains(&relay[at].as_i64().unwrap()), "{relay}");
    }
    assert_eq!(relay.as_object().unwrap().len(), 12, "{relay}");
    Ok(())
}

async fn a_pk_is_read_by_anybody(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let viewer = api.user().await;
    let sid = pair.start(&api).await;
    let relay = info(&api, &viewer, &sid).await;
    assert_eq!((&relay["sid"], &relay["extends"]), (&json!(sid), &Value::Null));
    Ok(())
}

async fn only_the_anchors_of_live_rooms_start_one(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let viewer = api.user().await;
    let with = |key: &str, value: &str| {
        let mut body = pair.body();
        body[key] = json!(value);
        body
    };
    api.join(&viewer, &pair.init_room).await;
    start(&api, &viewer, &pair.body()).await.forbidden();
    start(&api, &pair.init, &with("recv_user_id", &viewer.id)).await.bad_in("recv_user_id");
    start(&api, &pair.init, &with("recv_room_id", "1")).await.not_found();
    start(&api, &pair.init, &with("init_room_id", "1")).await.not_found();
    // Rooms that have not begun, are over or deleted.
    let created = api.room(&pair.recv).await;
    start(&api, &pair.init, &with("recv_room_id", &created)).await.bad();
    let own = api.room(&pair.init).await;
    start(&api, &pair.init, &with("init_room_id", &own)).await.bad();
    let ended = api.live_room(&pair.recv).await;
    api.stop(&pair.recv, &ended).await;
    start(&api, &pair.init, &with("recv_room_id", &ended)).await.bad();
    api.delete(format!("/client/live/room/instance/{ended}")).by(&pair.recv).send().await.done();
    start(&api, &pair.init, &with("recv_room_id", &ended)).await.not_found();
    assert_eq!(pair.named(&api).await, ["", ""]);
    pair.start(&api).await;
    Ok(())
}

async fn a_room_is_in_one_pk_at_most(api: Api) -> Verdict {
    let (pair, other) = (Pair::new(&api).await, Pair::new(&api).await);
    let sid = pair.start(&api).await;
    start(&api, &pair.init, &pair.body()).await.bad();
    let back =
        json!({"init_room_id": pair.recv_room, "recv_room_id": pair.init_room, "recv_user_id": pair.init.id});
    start(&api, &pair.recv, &back).await.bad();
    let mut third = other.body();
    third["recv_room_id"] = json!(pair.recv_room);
    third["recv_user_id"] = json!(pair.recv.id);
    start(&api, &other.init, &third).await.bad();
    assert_eq!(pair.named(&api).await, [sid.as_str(), &sid]);
    assert_eq!(other.named(&api).await, ["", ""]);
    // Of many at once one wins.
    let starts = (0..8).map(|_| async { start(&api, &other.init, &other.body()).await });
    let answers = futures_util::future::join_all(starts).await;
    let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    answers.iter().filter(|answer| answer.status != 200).for_each(|answer| _ = answer.bad());
    let sid = won[0].ok()["relay_id"].as_str().unwrap();
    assert_eq!(other.named(&api).await, [sid, sid]);
    Ok(())
}

async fn each_anchor_gets_a_token_for_the_other_room(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let answer = start(&api, &pair.init, &pair.body()).await;
    let sid = answer.ok()["relay_id"].as_str().unwrap().to_owned();
    let viewer = api.user().await;
    let target = format!("/client/relay/{sid}/token");
    let of_init = api.get(&target).by(&pair.init).send().await;
    let of_recv = api.get(&target).by(&pair.recv).send().await;
    api.get(&target).by(&viewer).send().await.forbidden();
    let keys = api.stream_keys().ok();
    for (answer, user, room) in [
        (&answer, &pair.init, &pair.recv_room),
        (&of_init, &pair.init, &pair.recv_room),
        (&of_recv, &pair.recv, &pair.init_room),
    ] {
        let pk = answer.ok();
        assert_eq!((&pk["relay_id"], &pk["relay_status"]), (&json!(sid), &json!(1)));
        let token = pk["relay_token"].as_str().unwrap();
        if api.has_streams() {
            let payload = sign::room_token(token, keys);
            assert_eq!((&payload["roomName"], &payload["userId"]), (&json!(room), &json!(user.id)));
        }
    }
    Ok(())
}

async fn both_sides_report_once(api: Api) -> Verdict {
    for init_first in [true, false] {
        let pair = Pair::new(&api).await;
        let sid = pair.start(&api).await;
        act(&api, &api.user().await, &sid, "started").await.forbidden();
        let (first, second) = if init_first { (&pair.init, &pair.recv) } else { (&pair.recv, &pair.init) };
        let half = if init_first { 2 } else { 3 };
        for (user, status) in [(first, half), (first, half), (second, 4), (first, 4), (second, 4)] {
            let answer = act(&api, user, &sid, "started").await;
            assert_eq!(*answer.ok(), json!({"relay_id": sid, "relay_status": status}));
            let relay = info(&api, first, &sid).await;
            assert_eq!(relay["status"], status);
            assert_eq!(relay["start_at"].is_i64(), status == 4, "{relay}");
        }
    }
    Ok(())
}

async fn a_stop_frees_both_rooms(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    for by_init in [true, false] {
        let sid = pair.start(&api).await;
        act(&api, &api.user().await, &sid, "stop").await.forbidden();
        let (one, other) = if by_init { (&pair.init, &pair.recv) } else { (&pair.recv, &pair.init) };
        act(&api, one, &sid, "stop").await.done();
        assert_eq!(pair.named(&api).await, ["", ""]);
        let relay = info(&api, other, &sid).await;
        assert_eq!((&relay["status"], relay["stop_at"].is_i64()), (&json!(6), true), "{relay}");
        for user in [one, other] {
            act(&api, user, &sid, "stop").await.done();
        }
        assert_eq!(info(&api, other, &sid).await, relay, "the second stop changed nothing");
    }
    // A stop of the former PK does not end the next one.
    let former = pair.start(&api).await;
    act(&api, &pair.init, &former, "stop").await.done();
    let next = pair.start(&api).await;
    act(&api, &pair.recv, &former, "stop").await.done();
    assert_eq!(pair.named(&api).await, [next.as_str(), &next]);
    Ok(())
}

async fn after_its_end_a_pk_is_only_read(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let sid = pair.start(&api).await;
    act(&api, &pair.init, &sid, "stop").await.done();
    api.get(format!("/client/relay/{sid}/token")).by(&pair.init).send().await.bad();
    act(&api, &pair.recv, &sid, "started").await.bad();
    let body = json!({"extends": {"k": "v"}});
    api.post(format!("/client/relay/{sid}/extends")).by(&pair.init).json(&body).send().await.bad();
    api.post(format!("/server/relay/{sid}/extends")).server().json(&body).send().await.bad();
    assert_eq!(info(&api, &pair.init, &sid).await["extends"], Value::Null);
    Ok(())
}

async fn maps_are_merged(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let sid = pair.start(&api).await;
    let by_client =
        |user: &User, body: Value| api.post(format!("/client/relay/{sid}/extends")).by(user).json(&body);
    let by_server = |body: Value| api.post(format!("/server/relay/{sid}/extends")).server().json(&body);
    by_client(&pair.init, json!({"extends": {"a": "1", "b": "1"}})).send().await.done();
    by_client(&pair.recv, json!({"extends": {"b": "2"}})).send().await.done();
    by_server(json!({"Extends": {"c": "3"}})).send().await.done();
    let whole = json!({"a": "1", "b": "2", "c": "3"});
    assert_eq!(info(&api, &pair.init, &sid).await["extends"], whole);
    for empty in [json!({}), json!({"extends": null}), json!({"extends": {}})] {
        by_client(&pair.init, empty.clone()).send().await.done();
        by_server(empty).send().await.done();
    }
    by_client(&api.user().await, json!({"extends": {"a": "x"}})).send().await.forbidden();
    // Each change fits, the sum does not.
    by_client(&pair.init, json!({"extends": {"d": "x".repeat(600)}})).send().await.done();
    by_client(&pair.init, json!({"extends": {"e": "x".repeat(600)}})).send().await.bad_in("extends");
    by_server(json!({"extends": {"e": "x".repeat(600)}})).send().await.bad_in("extends");
    by_server(json!({"extends": {"e": "x".repeat(1100)}})).send().await.bad_in("extends");
    by_client(&pair.init, json!({"extends": {"e": 1}})).send().await.bad_in("extends");
    let mut wanted = whole;
    wanted["d"] = json!("x".repeat(600));
    assert_eq!(info(&api, &pair.init, &sid).await["extends"], wanted);
    Ok(())
}

async fn pks_want_credentials(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    let sid = pair.start(&api).await;
    for (method, path) in [
        ("POST", "/client/relay/start".to_owned()),
        ("GET", format!("/client/relay/{sid}")),
        ("GET", format!("/client/relay/{sid}/token")),
        ("POST", format!("/client/relay/{sid}/started")),
        ("POST", format!("/client/relay/{sid}/stop")),
        ("POST", format!("/client/relay/{sid}/extends")),
        ("POST", format!("/server/relay/{sid}/extends")),
    ] {
        api.call(method, &path).send().await.unauthorized();
    }
    let server = api.post(format!("/server/relay/{sid}/extends"));
    server.by(&pair.init).json(&json!({})).send().await.unauthorized();
    assert_eq!(pair.named(&api).await, [sid.as_str(), &sid]);
    Ok(())
}

async fn bad_starts_are_refused(api: Api) -> Verdict {
    let pair = Pair::new(&api).await;
    for key in ["init_room_id", "recv_room_id", "recv_user_id"] {
        for value in [Value::Null, json!(""), json!("x".repeat(65)), json!(7)] {
            let mut body = pair.body();
            body[key] = value;
            start(&api, &pair.init, &body).await.bad_in(key);
        }
    }
    let mut body = pair.body();
    body["recv_room_id"] = json!(pair.init_room);
    start(&api, &pair.init, &body).await.bad_in("recv_room_id");
    let second = api.live_room(&pair.init).await;
    body["recv_room_id"] = json!(second);
    body["recv_user_id"] = json!(pair.init.id);
    start(&api, &pair.init, &body).await.bad_in("recv_user_id");
    let mut body = pair.body();
    body["extends"] = json!({"k": "x".repeat(1020)});
    start(&api, &pair.init, &body).await.bad_in("extends");
    let long = "x".repeat(65);
    for (method, path) in [
        ("GET", format!("/client/relay/{long}")),
        ("GET", format!("/client/relay/{long}/token")),
        ("POST", format!("/client/relay/{long}/started")),
        ("POST", format!("/client/relay/{long}/stop")),
        ("POST", format!("/client/relay/{long}/extends")),
    ] {
        api.call(method, path).by(&pair.init).send().await.bad();
    }
    assert_eq!(pair.named(&api).await, ["", ""]);
    Ok(())
}

async fn unknown_pks_are_not_found(api: Api) -> Verdict {
    let user = api.user().await;
    let sid = unique("pk");
    api.get(format!("/client/relay/{sid}")).by(&user).send().await.not_found();
    api.get(format!("/client/relay/{sid}/token")).by(&user).send().await.not_found();
    for what in ["started", "stop", "extends"] {
        act(&api, &user, &sid, what).await.not_found();
    }
    let body = json!({"extends": {"k": "v"}});
    api.post(format!("/server/relay/{sid}/extends")).server().json(&body).send().await.not_found();
    Ok(())
}
