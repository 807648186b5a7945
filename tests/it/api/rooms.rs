//! http-api.md §5: the creation of rooms, and what a room looks like.

use serde_json::{Value, json};

use super::sign;
use super::world::{now, unique};
use super::{Api, Verdict, cases};

cases![
    a_created_room_has_the_documented_fields,
    a_created_room_keeps_what_was_said,
    a_title_must_be_present,
    a_title_has_something_to_see_and_no_control,
    times_come_as_seconds_or_as_text,
    times_that_are_none_are_bad,
    a_server_creates_for_an_anchor,
    a_server_names_an_anchor_that_exists,
    the_push_url_is_signed,
    the_push_url_ends_when_asked,
    the_push_url_is_for_the_anchor_and_servers,
    a_room_is_looked_up,
    an_unknown_room_is_404,
];

type Fits = fn(&Value) -> bool;

const FIELDS: [(&str, Fits); 23] = [
    ("live_id", Value::is_string),
    ("title", Value::is_string),
    ("notice", Value::is_string),
    ("cover_url", Value::is_string),
    ("extends", |value| value.is_object() || value.is_null()),
    ("anchor_info", Value::is_object),
    ("anchor_status", Value::is_i64),
    ("room_token", Value::is_string),
    ("pk_id", Value::is_string),
    ("online_count", Value::is_i64),
    ("start_time", Value::is_i64),
    ("end_time", Value::is_i64),
    ("chat_id", Value::is_i64),
    ("push_url", Value::is_string),
    ("hls_url", Value::is_string),
    ("rtmp_url", Value::is_string),
    ("flv_url", Value::is_string),
    ("pv", Value::is_i64),
    ("uv", Value::is_i64),
    ("total_count", Value::is_i64),
    ("total_mics", Value::is_i64),
    ("live_status", Value::is_i64),
    ("anchor_info", |value| value.get("im_password").is_none()),
];

/// Panics unless `room` is a room object of http-api.md §5.
pub fn assert_room(room: &Value) {
    for (name, fits) in FIELDS {
        assert!(room.get(name).is_some_and(fits), "{name} of {room}");
    }
    let optional = ["stop_reason", "stop_user_id", "stop_at"];
    for name in room.as_object().expect("a room").keys() {
        let known = FIELDS.iter().any(|(field, _)| field == name) || optional.contains(&name.as_str());
        assert!(known, "{name} is not documented: {room}");
    }
}

async fn a_created_room_has_the_documented_fields(api: Api) -> Verdict {
    let anchor = api.user().await;
    let room = api.room_with(&anchor, json!({"title": "t"})).await;
    assert_room(&room);
    assert!(room["live_id"].as_str().is_some_and(|id| id.parse::<u64>().is_ok()), "{room}");
    let zero = ["anchor_status", "online_count", "start_time", "end_time", "live_status"];
    for name in zero.into_iter().chain(["pv", "uv", "total_count", "total_mics"]) {
        assert_eq!(room[name], 0, "{name} of {room}");
    }
    for name in ["notice", "cover_url", "room_token", "pk_id"] {
        assert_eq!(room[name], "", "{name} of {room}");
    }
    assert_eq!(room["extends"], Value::Null);
    assert_eq!(room["anchor_info"]["user_id"], anchor.id);
    assert!(room["chat_id"].as_i64().is_some_and(|id| 0 < id && id < 1 << 53), "{room}");
    let live_id = room["live_id"].as_str().expect("live_id");
    for name in ["push_url", "rtmp_url", "flv_url", "hls_url"] {
        let url = room[name].as_str().expect("a URL");
        assert!(url.contains(live_id) || (url.is_empty() && !api.has_streams()), "{name} of {room}");
    }
    assert_ne!(api.room(&anchor).await, live_id);
    Ok(())
}

async fn a_created_room_keeps_what_was_said(api: Api) -> Verdict {
    let anchor = api.user().await;
    let body = json!({
        "title": "\u{76f4}\u{64ad} \u{1f600} <b>'\"\\%_", "notice": "n\nm", "cover_url": "http://c/d.png",
        "extends": {"a": "1", "\u{952e}": "\u{503c}"}, "start_at": 1_900_000_000, "end_at": 1_900_003_600,
    });
    let made = api.room_with(&anchor, body.clone()).await;
    let read = api.info(&anchor, made["live_id"].as_str().expect("live_id")).await;
    for room in [made, read] {
        assert_room(&room);
        for name in ["title", "notice", "cover_url", "extends"] {
            assert_eq!(room[name], body[name], "{name}");
        }
        assert_eq!((&room["start_time"], &room["end_time"]), (&body["start_at"], &body["end_at"]));
    }
    Ok(())
}

async fn a_title_must_be_present(api: Api) -> Verdict {
    let anchor = api.user().await;
    for body in [json!({}), json!({"title": null}), json!({"notice": "n"})] {
        api.post("/client/live/room/instance").by(&anchor).json(&body).send().await.bad_in("title");
        let mut of_server = body.clone();
        of_server["anchor_id"] = json!(anchor.id);
        api.post("/server/live").server().json(&of_server).send().await.bad_in("title");
    }
    api.post("/client/live/room/instance").by(&anchor).send().await.bad_in("title");
    assert_eq!(api.room_with(&anchor, json!({"title": ""})).await["title"], "");
    Ok(())
}

async fn a_title_has_something_to_see_and_no_control(api: Api) -> Verdict {
    let anchor = api.user().await;
    for title in ["a\nb", "\t", "\u{7}", "\u{9b}31m", " ", "\u{3000}", "\u{200b}\u{feff}", "\u{3164}"] {
        let body = json!({"title": title, "anchor_id": anchor.id});
        api.post("/client/live/room/instance").by(&anchor).json(&body).send().await.bad_in("title");
        api.post("/server/live").server().json(&body).send().await.bad_in("title");
    }
    for title in ["", "\u{1f469}\u{200d}\u{1f469}", "\u{645}\u{6cc}\u{200c}\u{62e}", " a "] {
        assert_eq!(api.room_with(&anchor, json!({"title": title})).await["title"], title);
    }
    Ok(())
}

async fn times_come_as_seconds_or_as_text(api: Api) -> Verdict {
    let anchor = api.user().await;
    let cases = [
        (json!(1_638_414_671), 1_638_414_671),
        (json!("2021-12-02 11:11:11"), 1_638_414_671),
        (json!("2000-02-29 00:00:00"), 951_753_600),
        (json!("2030-12-02 11:11"), 1_922_411_460),
        (json!("2030/12/02 11:11:00"), 1_922_411_460),
        (json!("2030/12/2 11:11"), 1_922_411_460),
        (json!("2030-12-02"), 1_922_371_200),
        (json!("2030/12/02"), 1_922_371_200),
        (json!(1_922_411_460_000_i64), 1_922_411_460),
        (json!("1922411460999"), 1_922_411_460),
        (json!(0), 0),
        (json!(null), 0),
    ];
    for (time, seconds) in cases {
        let room = api.room_with(&anchor, json!({"title": "t", "start_at": time, "end_at": time})).await;
        assert_eq!((&room["start_time"], &room["end_time"]), (&json!(seconds), &json!(seconds)), "{time}");
        let read = api.info(&anchor, room["live_id"].as_str().expect("live_id")).await;
        assert_eq!((&read["start_time"], &read["end_time"]), (&json!(seconds), &json!(seconds)), "{time}");
    }
    Ok(())
}

async fn times_that_are_none_are_bad(api: Api) -> Verdict {
    let anchor = api.user().await;
    let garbage = [
        json!("yesterday"),
        json!("2021-13-02 11:11:11"),
        json!("2021-02-30 11:11:11"),
        json!("2021-12-02 25:61:61"),
        json!("2021-12-02 11:11:11 or so"),
        json!(true),
        json!([]),
        json!({"seconds": 1}),
        json!(1e30),
        json!(i64::MAX),
        json!(999_999_999_999_999_i64),
    ];
    for time in garbage {
        for field in ["start_at", "end_at", "publish_expire_at"] {
            let body = json!({"title": "t", field: time});
            api.post("/client/live/room/instance").by(&anchor).json(&body).send().await.bad_in(field);
        }
    }
    Ok(())
}

async fn a_server_creates_for_an_anchor(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let body = json!({"anchor_id": anchor.id, "title": "by a server", "extends": {"k": "v"}});
    let room = api.post("/server/live").server().json(&body).send().await.ok().clone();
    assert_room(&room);
    assert_eq!((&room["anchor_info"]["user_id"], &room["title"]), (&json!(anchor.id), &json!("by a server")));
    assert_eq!(room["extends"], json!({"k": "v"}));
    assert!(room["push_url"] != "" || !api.has_streams(), "{room}");
    api.start(&anchor, room["live_id"].as_str().expect("live_id")).await;
    let own = api.room_with(&anchor, json!({"title": "t", "anchor_id": other.id})).await;
    assert_eq!(own["anchor_info"]["user_id"], anchor.id);
    Ok(())
}

async fn a_server_names_an_anchor_that_exists(api: Api) -> Verdict {
    let create = |body: Value| api.post("/server/live").server().json(&body).send();
    create(json!({"title": "t"})).await.bad_in("anchor_id");
    create(json!({"title": "t", "anchor_id": ""})).await.bad_in("anchor_id");
    create(json!({"title": "t", "anchor_id": 7})).await.bad_in("anchor_id");
    create(json!({"title": "t", "anchor_id": unique("ghost")})).await.not_found();
    let anchor = api.user().await;
    create(json!({"title": "t", "anchor_id": anchor.id.to_uppercase()})).await.not_found();
    Ok(())
}

/// The value of `name` in the query of `url`.
fn query_value(url: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).expect("a URL");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn the_push_url_is_signed(api: Api) -> Verdict {
    let (access_key, secret_key) = api.stream_keys()?;
    let anchor = api.user().await;
    let before = now();
    let room = api.room_with(&anchor, json!({"title": "t"})).await;
    let url = room["push_url"].as_str().expect("push_url");
    let (base, token) = url.split_once("&token=").unwrap_or_else(|| panic!("no token in {url}"));
    let path = base.splitn(4, '/').nth(3).unwrap_or_else(|| panic!("no path in {url}"));
    assert_eq!(token, format!("{access_key}:{}", sign::qiniu(secret_key, format!("/{path}").as_bytes())));
    let ends: i64 = query_value(url, "e").expect("e").parse().expect("seconds");
    assert!(ends > before, "{url} ends in the past");
    let again = api.info(&anchor, room["live_id"].as_str().expect("live_id")).await;
    assert_eq!(again["push_url"], room["push_url"]);
    Ok(())
}

async fn the_push_url_ends_when_asked(api: Api) -> Verdict {
    api.stream_keys()?;
    let anchor = api.user().await;
    let later = now() + 4321;
    let text =
        chrono::DateTime::from_timestamp(later + 8 * 3600, 0).expect("a time").format("%Y-%m-%d %H:%M:%S");
    for time in [json!(later), json!(text.to_string())] {
        let room = api.room_with(&anchor, json!({"title": "t", "publish_expire_at": time})).await;
        let url = room["push_url"].as_str().expect("push_url");
        assert_eq!(query_value(url, "e"), Some(later.to_string()), "{url}");
    }
    let past = api.room_with(&anchor, json!({"title": "t", "publish_expire_at": now() - 60})).await;
    let url = past["push_url"].as_str().expect("push_url");
    let ends: i64 = query_value(url, "e").expect("e").parse().expect("seconds");
    assert!(ends > now(), "{url} ends in the past");
    Ok(())
}

async fn the_push_url_is_for_the_anchor_and_servers(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let title = unique("push");
    let room = api.room_with(&anchor, json!({"title": title})).await;
    let id = room["live_id"].as_str().expect("live_id");
    let started = api.start(&anchor, id).await;
    let seen = [
        room["push_url"].clone(),
        started["push_url"].clone(),
        api.info(&anchor, id).await["push_url"].clone(),
    ];
    assert!(seen.iter().all(|url| *url == room["push_url"]), "{seen:?}");
    assert!(room["push_url"] != "" || !api.has_streams(), "{room}");
    assert_eq!(api.server_info(id).await["push_url"], room["push_url"]);
    let own = api.get("/client/live/room/list/anchor").by(&anchor).send().await;
    assert_eq!(own.ok()["list"][0]["push_url"], room["push_url"]);
    assert_eq!(api.info(&viewer, id).await["push_url"], "");
    assert_eq!(api.join(&viewer, id).await["push_url"], "");
    let found = api.get(format!("/client/live/room?keyword={title}")).by(&viewer).send().await;
    assert_eq!(found.ok()["list"][0]["push_url"], "");
    Ok(())
}

async fn a_room_is_looked_up(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.room(&anchor).await;
    for room in [api.info(&viewer, &id).await, api.server_info(&id).await] {
        assert_room(&room);
        assert_eq!(room["live_id"], id);
        assert_eq!(room["anchor_info"]["user_id"], anchor.id);
        assert_eq!(room["room_token"], "");
    }
    Ok(())
}

async fn an_unknown_room_is_404(api: Api) -> Verdict {
    let user = api.user().await;
    for id in ["nope", "1", "18446744073709551616", "%20", "null"] {
        let calls = [
            api.get(format!("/client/live/room/info/{id}")),
            api.put(format!("/client/live/room/{id}")),
            api.delete(format!("/client/live/room/{id}")),
            api.post(format!("/client/live/room/{id}")),
            api.delete(format!("/client/live/room/instance/{id}")),
            api.delete(format!("/live/room/instance/{id}")),
            api.post(format!("/client/live/room/user/{id}")),
            api.delete(format!("/client/live/room/user/{id}")),
        ];
        for call in calls {
            call.by(&user).send().await.not_found();
        }
        api.get(format!("/server/live/{id}")).server().send().await.not_found();
        api.post(format!("/server/live/{id}/stop")).server().send().await.not_found();
        api.delete(format!("/server/live/{id}")).server().send().await.not_found();
    }
    Ok(())
}
