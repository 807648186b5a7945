//! http-api.md §6: microphone seats.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::world::{User, column, eventually, now, unique};
use super::{Api, NotApplicable, Verdict, cases, sign};
use crate::support::fake::Mood;
use crate::support::fake_rtc::FakeRtc;

cases![
    a_guest_takes_a_seat,
    taking_it_again_replaces_the_flags,
    one_must_be_in_the_room,
    the_rtc_token_is_for_the_room,
    a_seat_is_left_by_every_spelling,
    leaving_the_room_frees_the_seat,
    the_anchor_takes_a_guest_off,
    the_map_of_a_seat_is_replaced,
    devices_are_switched,
    who_is_forbidden_takes_no_seat,
    seats_are_listed_in_order,
    seats_want_credentials,
    bad_seats_are_refused,
    seats_of_unknown_rooms_are_not_found,
    only_guests_who_are_online_in_rtc_are_listed,
    an_rtc_service_in_trouble_leaves_the_stored_list,
];

async fn up(api: &Api, user: &User, body: Value) -> Answer {
    api.post("/client/mic").by(user).json(&body).send().await
}

async fn list(api: &Api, user: &User, live_id: &str) -> Value {
    api.get(format!("/client/mic/room/list/{live_id}")).by(user).send().await.ok().clone()
}

/// The ids of those on seats.
async fn on_seats(api: &Api, user: &User, live_id: &str) -> Vec<String> {
    let list = list(api, user, live_id).await;
    let users: Vec<Value> = list.as_array().unwrap().iter().map(|seat| seat["user"].clone()).collect();
    column(&json!(users), "user_id").into_iter().map(str::to_owned).collect()
}

/// An anchor, a guest and the live room that both are in.
async fn stage(api: &Api) -> (User, User, String) {
    let (anchor, guest) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&guest, &id).await;
    (anchor, guest, id)
}

/// Of a foreign server it is not known whom its RTC service holds online.
fn has_no_rtc(api: &Api) -> Result<(), NotApplicable> {
    api.backend.map(|_| ()).ok_or(NotApplicable("the target's RTC service is not known"))
}

async fn a_guest_takes_a_seat(api: Api) -> Verdict {
    has_no_rtc(&api)?;
    let (anchor, guest, id) = stage(&api).await;
    assert_eq!(list(&api, &anchor, &id).await, json!([]));
    assert_eq!(api.info(&anchor, &id).await["total_mics"], 0);
    let body = json!({"live_id": id, "mic": true, "camera": false, "extends": {"k": "v"}});
    assert!(up(&api, &guest, body).await.ok()["rtc_token"].is_string());
    let seats = list(&api, &anchor, &id).await;
    assert_eq!(seats.as_array().unwrap().len(), 1);
    let seat = &seats[0];
    assert_eq!((&seat["mic"], &seat["camera"], &seat["status"]), (&json!(true), &json!(false), &json!(0)));
    assert_eq!(seat["extends"], json!({"k": "v"}));
    assert_eq!(seat["user"]["user_id"], guest.id);
    assert!(seat["user"]["im_userid"].is_i64() && seat["user"].get("im_password").is_none(), "{seat}");
    for room in [api.info(&guest, &id).await, api.server_info(&id).await] {
        assert_eq!(room["total_mics"], 1, "{room}");
    }
    // Every spelling of the route and of the map.
    let other = api.user().await;
    api.join(&other, &id).await;
    let body = json!({"live_id": id, "MIC": true, "camera": true, "extend": {"a": "b"}});
    api.post("/client/mic/up/").by(&other).json(&body).send().await.ok();
    let seats = list(&api, &guest, &id).await;
    assert_eq!((&seats[1]["camera"], &seats[1]["extends"]), (&json!(true), &json!({"a": "b"})));
    assert_eq!(api.info(&guest, &id).await["total_mics"], 2);
    // What is not said is off, and there is no map.
    api.join(&anchor, &id).await;
    up(&api, &anchor, json!({"live_id": id})).await.ok();
    let seats = list(&api, &guest, &id).await;
    let said = (&seats[2]["mic"], &seats[2]["camera"], &seats[2]["extends"]);
    assert_eq!(said, (&json!(false), &json!(false), &Value::Null));
    Ok(())
}

async fn taking_it_again_replaces_the_flags(api: Api) -> Verdict {
    has_no_rtc(&api)?;
    let (_, guest, id) = stage(&api).await;
    up(&api, &guest, json!({"live_id": id, "mic": true, "camera": true, "extends": {"k": "v"}})).await.ok();
    up(&api, &guest, json!({"live_id": id, "mic": false, "camera": true})).await.ok();
    let seats = list(&api, &guest, &id).await;
    assert_eq!(seats.as_array().unwrap().len(), 1);
    assert_eq!((&seats[0]["mic"], &seats[0]["camera"]), (&json!(false), &json!(true)));
    assert_eq!(seats[0]["extends"], json!({"k": "v"}));
    up(&api, &guest, json!({"live_id": id, "extends": {"n": "w"}})).await.ok();
    let seats = list(&api, &guest, &id).await;
    assert_eq!((&seats[0]["camera"], &seats[0]["extends"]), (&json!(false), &json!({"n": "w"})));
    assert_eq!(api.info(&guest, &id).await["total_mics"], 1);
    Ok(())
}

async fn one_must_be_in_the_room(api: Api) -> Verdict {
    let (anchor, guest, id) = stage(&api).await;
    let stranger = api.user().await;
    for route in ["/client/mic", "/client/mic/up"] {
        api.post(route).by(&stranger).json(&json!({"live_id": id})).send().await.forbidden();
    }
    let elsewhere = api.live_room(&stranger).await;
    up(&api, &guest, json!({"live_id": elsewhere})).await.forbidden();
    api.leave(&guest, &id).await;
    up(&api, &guest, json!({"live_id": id})).await.forbidden();
    api.join(&guest, &id).await;
    api.stop(&anchor, &id).await;
    up(&api, &guest, json!({"live_id": id})).await.bad();
    // Who waits for the start may be on a seat already.
    let created = api.room(&anchor).await;
    api.join(&guest, &created).await;
    up(&api, &guest, json!({"live_id": created})).await.ok();
    Ok(())
}

async fn the_rtc_token_is_for_the_room(api: Api) -> Verdict {
    let (_, guest, id) = stage(&api).await;
    let answer = up(&api, &guest, json!({"live_id": id})).await;
    let token = answer.ok()["rtc_token"].as_str().unwrap();
    let payload = sign::room_token(token, Some(api.stream_keys()?));
    assert_eq!((&payload["roomName"], &payload["userId"]), (&json!(id), &json!(guest.id)));
    assert_eq!(payload["permission"], "user");
    assert!(payload["expireAt"].as_i64().unwrap() > now());
    Ok(())
}

async fn a_seat_is_left_by_every_spelling(api: Api) -> Verdict {
    has_no_rtc(&api)?;
    let (_, guest, id) = stage(&api).await;
    let body = json!({"live_id": id});
    let calls = [
        api.delete("/client/mic").json(&body),
        api.delete("/client/mic/").json(&body),
        api.delete(format!("/client/mic?live_id={id}")),
        api.delete(format!("/client/mic?live_id={id}")).json(&json!({})),
        api.post("/client/mic/down").json(&body),
        api.post(format!("/client/mic/down?live_id={id}")),
    ];
    for call in calls {
        up(&api, &guest, body.clone()).await.ok();
        assert_eq!(on_seats(&api, &guest, &id).await, [guest.id.as_str()]);
        call.clone().by(&guest).send().await.done();
        assert_eq!(on_seats(&api, &guest, &id).await, Vec::<String>::new());
        assert_eq!(api.info(&guest, &id).await["total_mics"], 0);
        call.by(&guest).send().await.done();
    }
    let never = api.user().await;
    api.delete("/client/mic").by(&never).json(&body).send().await.done();
    Ok(())
}

async fn leaving_the_room_frees_the_seat(api: Api) -> Verdict {
    let (anchor, guest, id) = stage(&api).await;
    let elsewhere = api.live_room(&api.user().await).await;
    up(&api, &guest, json!({"live_id": id})).await.ok();
    api.leave(&guest, &id).await;
    assert_eq!(api.info(&anchor, &id).await["total_mics"], 0);
    api.join(&guest, &id).await;
    assert_eq!(on_seats(&api, &anchor, &id).await, Vec::<String>::new());
    up(&api, &guest, json!({"live_id": id})).await.ok();
    assert_eq!(api.info(&anchor, &id).await["total_mics"], 1);
    let room = api.join(&guest, &id).await;
    assert_eq!(room["total_mics"], 1, "who comes where they are keeps the seat: {room}");
    let room = api.join(&guest, &elsewhere).await;
    assert_eq!(room["total_mics"], 0);
    assert_eq!(api.info(&anchor, &id).await["total_mics"], 0);
    assert_eq!(on_seats(&api, &anchor, &id).await, Vec::<String>::new());
    Ok(())
}

async fn the_anchor_takes_a_guest_off(api: Api) -> Verdict {
    let (anchor, guest, id) = stage(&api).await;
    let other = api.user().await;
    let query = format!("live_id={id}&user_id={}", guest.id);
    let calls = [
        api.delete("/client/mic/live").json(&json!({"live_id": id, "user_id": guest.id})),
        api.delete("/client/mic/live").json(&json!({"live_id": id, "user-id": guest.id})),
        api.delete(format!("/client/mic/live?{query}")),
        api.delete("/mic/live").json(&json!({"live_id": id, "user_id": guest.id})),
        api.delete(format!("/mic/live/?{query}")),
        api.delete(format!("/mic/live?live_id={id}")).json(&json!({"user_id": guest.id})),
    ];
    for call in calls {
        up(&api, &guest, json!({"live_id": id})).await.ok();
        for stranger in [&guest, &other] {
            call.clone().by(stranger).send().await.forbidden();
        }
        assert_eq!(api.info(&anchor, &id).await["total_mics"], 1);
        call.clone().by(&anchor).send().await.done();
        assert_eq!(api.info(&anchor, &id).await["total_mics"], 0);
        call.by(&anchor).send().await.done();
    }
    // One who was taken off may come again.
    up(&api, &guest, json!({"live_id": id})).await.ok();
    Ok(())
}

async fn the_map_of_a_seat_is_replaced(api: Api) -> Verdict {
    has_no_rtc(&api)?;
    let (anchor, guest, id) = stage(&api).await;
    let other = api.user().await;
    api.join(&other, &id).await;
    up(&api, &guest, json!({"live_id": id, "extends": {"a": "1", "b": "2"}})).await.ok();
    for (number, route) in ["/client/mic/extension", "/client/mic/room"].into_iter().enumerate() {
        let of_guest =
            json!({"live_id": id, "user_id": guest.id, "extends": {"by": "anchor", "n": number.to_string()}});
        api.put(route).by(&anchor).json(&of_guest).send().await.done();
        assert_eq!(list(&api, &guest, &id).await[0]["extends"], of_guest["extends"]);
        api.put(route).by(&other).json(&of_guest).send().await.forbidden();
        let own = json!({"live_id": id, "extends": {"by": "guest"}});
        api.put(route).by(&guest).json(&own).send().await.done();
        assert_eq!(list(&api, &guest, &id).await[0]["extends"], json!({"by": "guest"}));
        let own = json!({"live_id": id, "user-id": guest.id, "extend": {}});
        api.put(route).by(&guest).json(&own).send().await.done();
        assert_eq!(list(&api, &guest, &id).await[0]["extends"], json!({}));
        // Nobody speaks for a seat that is not taken.
        api.put(route).by(&other).json(&json!({"live_id": id, "extends": {}})).send().await.not_found();
        let long = json!({"live_id": id, "extends": {"k": "x".repeat(1020)}});
        api.put(route).by(&guest).json(&long).send().await.bad_in("extends");
        api.put(route).by(&guest).json(&json!({"extends": {}})).send().await.bad_in("live_id");
        api.put(route).json(&own).send().await.unauthorized();
    }
    Ok(())
}

async fn devices_are_switched(api: Api) -> Verdict {
    has_no_rtc(&api)?;
    let (anchor, guest, id) = stage(&api).await;
    let other = api.user().await;
    api.join(&other, &id).await;
    up(&api, &guest, json!({"live_id": id, "mic": true, "camera": true})).await.ok();
    let switch = async |by: &User, more: Value| {
        let mut body = json!({"live_id": id});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        api.put("/client/mic/switch").by(by).json(&body).send().await
    };
    let devices = async || {
        let seats = list(&api, &anchor, &id).await;
        (seats[0]["mic"].as_bool().unwrap(), seats[0]["camera"].as_bool().unwrap())
    };
    switch(&guest, json!({"type": "mic", "status": false})).await.done();
    assert_eq!(devices().await, (false, true));
    switch(&guest, json!({"type": "camera", "flag": false})).await.done();
    assert_eq!(devices().await, (false, false));
    switch(&guest, json!({"type": "camera", "status": true, "user_id": guest.id})).await.done();
    assert_eq!(devices().await, (false, true));
    switch(&anchor, json!({"type": "mic", "flag": true, "user-id": guest.id})).await.done();
    assert_eq!(devices().await, (true, true));
    switch(&anchor, json!({"type": "mic", "status": false, "user_id": guest.id})).await.done();
    assert_eq!(devices().await, (false, true));
    switch(&other, json!({"type": "mic", "status": true, "user_id": guest.id})).await.forbidden();
    switch(&other, json!({"type": "mic", "status": true})).await.not_found();
    switch(&guest, json!({"type": "screen", "status": true})).await.bad_in("type");
    switch(&guest, json!({"status": true})).await.bad_in("type");
    switch(&guest, json!({"type": "mic"})).await.bad_in("status");
    switch(&guest, json!({"type": "mic", "status": "on"})).await.bad_in("status");
    assert_eq!(devices().await, (false, true));
    Ok(())
}

async fn who_is_forbidden_takes_no_seat(api: Api) -> Verdict {
    let (anchor, guest, id) = stage(&api).await;
    let body = json!({"live_id": id, "user_id": guest.id});
    let forbid = async || api.post("/server/mic/forbid").server().json(&body).send().await.done();
    let unforbid = async || api.post("/server/mic/unforbid").server().json(&body).send().await.done();
    unforbid().await;
    // Before the first seat, and while on one.
    for round in 0..2 {
        forbid().await;
        forbid().await;
        assert_eq!(api.info(&anchor, &id).await["total_mics"], 0, "round {round}");
        up(&api, &guest, json!({"live_id": id})).await.forbidden();
        api.delete("/client/mic").by(&guest).json(&json!({"live_id": id})).send().await.done();
        api.delete("/client/mic/live").by(&anchor).json(&body).send().await.done();
        up(&api, &guest, json!({"live_id": id})).await.forbidden();
        api.leave(&guest, &id).await;
        api.join(&guest, &id).await;
        up(&api, &guest, json!({"live_id": id})).await.forbidden();
        unforbid().await;
        assert_eq!(api.info(&anchor, &id).await["total_mics"], 0);
        up(&api, &guest, json!({"live_id": id})).await.ok();
        unforbid().await;
        assert_eq!(api.info(&anchor, &id).await["total_mics"], 1, "who was not forbidden keeps the seat");
    }
    // It holds for one room.
    forbid().await;
    let elsewhere = api.live_room(&api.user().await).await;
    api.join(&guest, &elsewhere).await;
    up(&api, &guest, json!({"live_id": elsewhere})).await.ok();
    for route in ["/server/mic/forbid", "/server/mic/unforbid"] {
        let post = |body: Value| api.post(route).server().json(&body);
        post(json!({"live_id": id, "user_id": unique("nobody")})).send().await.not_found();
        post(json!({"live_id": "1", "user_id": guest.id})).send().await.not_found();
        post(json!({"live_id": id})).send().await.bad_in("user_id");
        post(json!({"user_id": guest.id})).send().await.bad_in("live_id");
        post(json!({"live_id": "x".repeat(65), "user_id": guest.id})).send().await.bad_in("live_id");
        api.post(route).json(&body).send().await.unauthorized();
        api.post(route).by(&guest).json(&body).send().await.unauthorized();
    }
    Ok(())
}

async fn seats_are_listed_in_order(api: Api) -> Verdict {
    has_no_rtc(&api)?;
    let (anchor, _, id) = stage(&api).await;
    let mut guests = Vec::new();
    for _ in 0..5 {
        let guest = api.user().await;
        api.join(&guest, &id).await;
        up(&api, &guest, json!({"live_id": id})).await.ok();
        guests.push(guest);
    }
    let wanted: Vec<&str> = guests.iter().map(|guest| guest.id.as_str()).collect();
    assert_eq!(on_seats(&api, &anchor, &id).await, wanted);
    up(&api, &guests[3], json!({"live_id": id, "mic": true})).await.ok();
    assert_eq!(on_seats(&api, &anchor, &id).await, wanted);
    api.delete("/client/mic").by(&guests[1]).json(&json!({"live_id": id})).send().await.done();
    let forbidden = json!({"live_id": id, "user_id": guests[4].id});
    api.post("/server/mic/forbid").server().json(&forbidden).send().await.done();
    assert_eq!(on_seats(&api, &anchor, &id).await, [wanted[0], wanted[2], wanted[3]]);
    Ok(())
}

async fn seats_want_credentials(api: Api) -> Verdict {
    let (_, guest, id) = stage(&api).await;
    let body = json!({"live_id": id, "user_id": guest.id, "type": "mic", "status": true});
    let calls = [
        ("POST", "/client/mic"),
        ("POST", "/client/mic/up"),
        ("DELETE", "/client/mic"),
        ("POST", "/client/mic/down"),
        ("DELETE", "/client/mic/live"),
        ("DELETE", "/mic/live"),
        ("PUT", "/client/mic/extension"),
        ("PUT", "/client/mic/room"),
        ("PUT", "/client/mic/switch"),
    ];
    for (method, route) in calls {
        api.call(method, route).json(&body).send().await.unauthorized();
        api.call(method, route).json(&body).server().send().await.unauthorized();
    }
    api.get(format!("/client/mic/room/list/{id}")).send().await.unauthorized();
    Ok(())
}

async fn bad_seats_are_refused(api: Api) -> Verdict {
    let (anchor, guest, id) = stage(&api).await;
    for route in ["/client/mic", "/client/mic/up"] {
        let post = async |body: Value| api.post(route).by(&guest).json(&body).send().await;
        post(json!({})).await.bad_in("live_id");
        post(json!({"live_id": ""})).await.bad_in("live_id");
        post(json!({"live_id": "x".repeat(65)})).await.bad_in("live_id");
        post(json!({"live_id": id, "mic": "yes"})).await.bad_in("mic");
        post(json!({"live_id": id, "extends": {"k": 1}})).await.bad_in("extends");
        post(json!({"live_id": id, "extends": {"k": "x".repeat(1020)}})).await.bad_in("extends");
        post(json!({"live_id": id, "extend": {"k": "x".repeat(1020)}})).await.bad_in("extend");
    }
    let long = "x".repeat(65);
    for call in [api.delete("/client/mic"), api.post("/client/mic/down")] {
        call.clone().by(&guest).send().await.bad_in("live_id");
        call.clone().by(&guest).json(&json!({"live_id": long})).send().await.bad_in("live_id");
        call.by(&guest).body("application/json", "{").send().await.bad();
    }
    api.delete(format!("/client/mic?live_id={long}")).by(&guest).send().await.bad_in("live_id");
    for route in ["/client/mic/live", "/mic/live"] {
        api.delete(route).by(&anchor).json(&json!({"live_id": id})).send().await.bad_in("user_id");
        api.delete(route).by(&anchor).json(&json!({"user_id": guest.id})).send().await.bad_in("live_id");
        api.delete(format!("{route}?live_id={id}&user_id={long}")).by(&anchor).send().await.bad_in("user_id");
    }
    api.get(format!("/client/mic/room/list/{long}")).by(&guest).send().await.bad();
    Ok(())
}

async fn seats_of_unknown_rooms_are_not_found(api: Api) -> Verdict {
    let user = api.user().await;
    let deleted = api.room(&user).await;
    api.delete(format!("/client/live/room/instance/{deleted}")).by(&user).send().await.done();
    for id in ["1", deleted.as_str(), "no room"] {
        let body = json!({"live_id": id, "user_id": user.id, "type": "mic", "status": true});
        for (method, route) in [
            ("POST", "/client/mic"),
            ("POST", "/client/mic/up"),
            ("DELETE", "/client/mic"),
            ("POST", "/client/mic/down"),
            ("DELETE", "/client/mic/live"),
            ("DELETE", "/mic/live"),
            ("PUT", "/client/mic/extension"),
            ("PUT", "/client/mic/room"),
            ("PUT", "/client/mic/switch"),
        ] {
            api.call(method, route).by(&user).json(&body).send().await.not_found();
        }
        api.get(format!("/client/mic/room/list/{}", super::client::escape(id)))
            .by(&user)
            .send()
            .await
            .not_found();
    }
    Ok(())
}

/// A server of our own with an RTC service.
async fn with_rtc(api: &Api) -> Result<(super::own::OwnServer, FakeRtc), NotApplicable> {
    let rtc = FakeRtc::start("rtc app/1", super::own::STREAM.0, super::own::STREAM.1).await;
    let url = rtc.url();
    let server = api
        .own_server(|config| {
            config.rtc.app_id = "rtc app/1".to_owned();
            config.rtc.api_url = format!("{url}/");
        })
        .await?;
    Ok((server, rtc))
}

async fn only_guests_who_are_online_in_rtc_are_listed(api: Api) -> Verdict {
    let (server, rtc) = with_rtc(&api).await?;
    let api = server.api();
    let (anchor, first, id) = stage(&api).await;
    let second = api.user_called(&unique("ü ")).await;
    api.join(&second, &id).await;
    assert_eq!(list(&api, &anchor, &id).await, json!([]));
    assert_eq!(rtc.asked(&id), 0, "for an empty list nobody is asked");
    rtc.set_users(&id, &[&second.id, "somebody else"]);
    for guest in [&first, &second] {
        up(&api, guest, json!({"live_id": id})).await.ok();
    }
    let lists = futures_util::future::join_all((0..10).map(|_| on_seats(&api, &anchor, &id))).await;
    assert!(lists.iter().all(|list| *list == [second.id.as_str()]), "{lists:?}");
    assert_eq!(rtc.asked(&id), 1, "the ten share one answer");
    // The number of seats in the room object is that of the table.
    assert_eq!(api.info(&anchor, &id).await["total_mics"], 2);
    rtc.set_users(&id, &[&second.id, &first.id]);
    eventually("both are listed", Duration::from_secs(5), || async {
        on_seats(&api, &anchor, &id).await == [first.id.as_str(), second.id.as_str()]
    })
    .await;
    rtc.set_users(&id, &[]);
    eventually("nobody is listed", Duration::from_secs(5), || async {
        on_seats(&api, &anchor, &id).await.is_empty()
    })
    .await;
    server.stop().await;
    Ok(())
}

async fn an_rtc_service_in_trouble_leaves_the_stored_list(api: Api) -> Verdict {
    for mood in [
        Mood::Slow(Duration::from_secs(30)),
        Mood::Status(500),
        Mood::Status(302),
        Mood::Garbage(b"{\"users\": [{\"userId\": 1}]}".to_vec()),
        Mood::Garbage(vec![b' '; 2 << 20]),
    ] {
        let (server, rtc) = with_rtc(&api).await?;
        let api = server.api();
        let (anchor, guest, id) = stage(&api).await;
        up(&api, &guest, json!({"live_id": id})).await.ok();
        rtc.set_mood(mood.clone());
        for limit in [Duration::from_millis(3500), Duration::from_millis(1500)] {
            let asked = std::time::Instant::now();
            assert_eq!(on_seats(&api, &anchor, &id).await, [guest.id.as_str()], "{mood:?}");
            assert!(asked.elapsed() < limit, "{mood:?}: {:?}", asked.elapsed());
        }
        if matches!(mood, Mood::Slow(_) | Mood::Status(500)) {
            assert_eq!(rtc.asked(&id), 1, "{mood:?}: it is left alone for a while");
        }
        rtc.set_mood(Mood::Well);
        eventually("it is asked again", Duration::from_secs(15), || async {
            on_seats(&api, &anchor, &id).await.is_empty()
        })
        .await;
        server.stop().await;
    }
    Ok(())
}
