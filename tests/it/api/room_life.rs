//! http-api.md §5: a room from its start to its deletion, and its extends.

use serde_json::{Value, json};

use super::rooms::assert_room;
use super::sign;
use super::world::{User, next_second, now};
use super::{Api, NotApplicable, Verdict, cases};
use crate::support::fake::Mood;
use crate::support::fake_im::FakeIm;

cases![
    a_start_goes_live_and_joins_the_anchor,
    a_room_token_is_for_that_room,
    a_live_room_may_be_started_again,
    a_start_is_for_the_anchor,
    an_ended_live_does_not_start,
    a_stop_ends_the_live,
    a_stop_by_post_ends_the_live,
    a_stop_is_for_the_anchor,
    only_a_live_room_stops,
    a_server_stops,
    of_racing_stops_one_wins,
    members_stay_when_the_live_ends,
    a_deleted_room_is_gone,
    a_deletion_is_for_the_anchor,
    a_deletion_without_the_client_prefix,
    a_server_deletes,
    extends_are_replaced,
    extends_are_for_the_anchor,
    extends_name_a_room,
    no_room_without_its_chat,
];

async fn a_start_goes_live_and_joins_the_anchor(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.room(&anchor).await;
    let before = now();
    let started = api.start(&anchor, &id).await;
    assert_room(&started);
    for room in [started, api.info(&anchor, &id).await] {
        assert_eq!((&room["live_status"], &room["anchor_status"]), (&json!(1), &json!(1)), "{room}");
        assert_eq!(room["online_count"], 1, "{room}");
        let start = room["start_time"].as_i64().expect("start_time");
        assert!((before - 60..=now() + 60).contains(&start), "{room}");
    }
    assert_eq!(api.members(&anchor, &id).await, [anchor.id.as_str()]);
    assert_eq!(api.beat(&anchor, &id).await, 1);
    Ok(())
}

async fn a_room_token_is_for_that_room(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.room(&anchor).await;
    let started = api.start(&anchor, &id).await;
    let token = started["room_token"].as_str().expect("room_token");
    if token.is_empty() && api.backend.is_none() {
        return Err(NotApplicable("the target has no RTC service"));
    }
    let payload = sign::room_token(token, api.stream_keys().ok());
    assert_eq!((&payload["roomName"], &payload["userId"]), (&json!(id), &json!(anchor.id)));
    assert_eq!(payload["permission"], "user");
    assert!(payload["appId"].as_str().is_some_and(|app| !app.is_empty()), "{payload}");
    assert!(payload["expireAt"].as_i64().is_some_and(|ends| ends > now()), "{payload}");
    Ok(())
}

async fn a_live_room_may_be_started_again(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let again = api.start(&anchor, &id).await;
    assert_eq!((&again["live_status"], &again["online_count"]), (&json!(1), &json!(1)));
    api.leave(&anchor, &id).await;
    assert_eq!(api.start(&anchor, &id).await["anchor_status"], 1);
    Ok(())
}

async fn a_start_is_for_the_anchor(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let id = api.room(&anchor).await;
    api.put(format!("/client/live/room/{id}")).by(&other).send().await.forbidden();
    assert_eq!(api.info(&anchor, &id).await["live_status"], 0);
    Ok(())
}

async fn an_ended_live_does_not_start(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    api.stop(&anchor, &id).await;
    api.put(format!("/client/live/room/{id}")).by(&anchor).send().await.bad();
    assert_eq!(api.info(&anchor, &id).await["live_status"], 2);
    Ok(())
}

async fn assert_ended(api: &Api, anchor: &User, id: &str, since: i64) {
    let room = api.info(anchor, id).await;
    assert_eq!(room["live_status"], 2, "{room}");
    assert!(room["end_time"].as_i64().is_some_and(|end| (since - 60..=now() + 60).contains(&end)), "{room}");
}

async fn a_stop_ends_the_live(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let before = now();
    api.delete(format!("/client/live/room/{id}")).by(&anchor).send().await.done();
    assert_ended(&api, &anchor, &id, before).await;
    Ok(())
}

async fn a_stop_by_post_ends_the_live(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let before = now();
    api.post(format!("/client/live/room/{id}")).by(&anchor).send().await.done();
    assert_ended(&api, &anchor, &id, before).await;
    Ok(())
}

async fn a_stop_is_for_the_anchor(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&other, &id).await;
    api.delete(format!("/client/live/room/{id}")).by(&other).send().await.forbidden();
    api.post(format!("/client/live/room/{id}")).by(&other).send().await.forbidden();
    assert_eq!(api.info(&anchor, &id).await["live_status"], 1);
    Ok(())
}

async fn only_a_live_room_stops(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.room(&anchor).await;
    for live in [false, true] {
        if live {
            api.start(&anchor, &id).await;
            api.stop(&anchor, &id).await;
        }
        api.delete(format!("/client/live/room/{id}")).by(&anchor).send().await.bad();
        api.post(format!("/client/live/room/{id}")).by(&anchor).send().await.bad();
        api.post(format!("/server/live/{id}/stop")).server().send().await.bad();
    }
    Ok(())
}

async fn a_server_stops(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let before = now();
    api.post(format!("/server/live/{id}/stop")).server().send().await.done();
    assert_ended(&api, &anchor, &id, before).await;
    Ok(())
}

async fn of_racing_stops_one_wins(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let starts = (0..4).map(|_| api.start(&anchor, &id));
    futures_util::future::join_all(starts).await;
    let stops = (0..8).map(|n| match n % 2 {
        0 => api.delete(format!("/client/live/room/{id}")).by(&anchor).send(),
        _ => api.post(format!("/server/live/{id}/stop")).server().send(),
    });
    let answers = futures_util::future::join_all(stops).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1, "{answers:?}");
    lost.iter().for_each(|answer| {
        answer.bad();
    });
    Ok(())
}

async fn members_stay_when_the_live_ends(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    next_second().await;
    api.join(&viewer, &id).await;
    api.stop(&anchor, &id).await;
    assert_eq!(api.members(&viewer, &id).await, [viewer.id.as_str(), anchor.id.as_str()]);
    assert_eq!(api.beat(&viewer, &id).await, 2);
    assert_eq!(api.info(&viewer, &id).await["online_count"], 2);
    api.leave(&viewer, &id).await;
    Ok(())
}

async fn assert_gone(api: &Api, anchor: &User, id: &str) {
    api.get(format!("/client/live/room/info/{id}")).by(anchor).send().await.not_found();
    api.get(format!("/server/live/{id}")).server().send().await.not_found();
    api.put(format!("/client/live/room/{id}")).by(anchor).send().await.not_found();
    api.delete(format!("/client/live/room/{id}")).by(anchor).send().await.not_found();
    api.post(format!("/client/live/room/user/{id}")).by(anchor).send().await.not_found();
    let body = json!({"live_id": id, "extends": {}});
    api.put("/client/live/room/extends").by(anchor).json(&body).send().await.not_found();
    let own = api.get("/client/live/room/list/anchor?page_size=200").by(anchor).send().await;
    assert!(!own.ok()["list"].to_string().contains(id), "{own:?}");
    let found = api.get(format!("/client/live/room?keyword={id}")).by(anchor).send().await;
    assert_eq!(found.ok()["list"], json!([]));
}

async fn a_deleted_room_is_gone(api: Api) -> Verdict {
    let anchor = api.user().await;
    let ended = api.live_room(&anchor).await;
    api.stop(&anchor, &ended).await;
    for id in [api.room(&anchor).await, ended, api.live_room(&anchor).await] {
        let target = format!("/client/live/room/instance/{id}");
        api.delete(&target).by(&anchor).send().await.done();
        assert_gone(&api, &anchor, &id).await;
        api.delete(&target).by(&anchor).send().await.not_found();
    }
    Ok(())
}

async fn a_deletion_is_for_the_anchor(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for path in ["/client/live/room/instance", "/live/room/instance"] {
        api.delete(format!("{path}/{id}")).by(&other).send().await.forbidden();
        api.delete(format!("{path}/{id}")).send().await.unauthorized();
    }
    assert_eq!(api.info(&anchor, &id).await["live_status"], 1);
    Ok(())
}

async fn a_deletion_without_the_client_prefix(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.room(&anchor).await;
    api.delete(format!("/live/room/instance/{id}")).by(&anchor).send().await.done();
    assert_gone(&api, &anchor, &id).await;
    Ok(())
}

async fn a_server_deletes(api: Api) -> Verdict {
    let anchor = api.user().await;
    for id in [api.room(&anchor).await, api.live_room(&anchor).await] {
        api.delete(format!("/server/live/{id}")).server().send().await.done();
        assert_gone(&api, &anchor, &id).await;
        api.delete(format!("/server/live/{id}")).server().send().await.not_found();
        api.post(format!("/server/live/{id}/stop")).server().send().await.not_found();
    }
    Ok(())
}

async fn extends_are_replaced(api: Api) -> Verdict {
    let anchor = api.user().await;
    let room = api.room_with(&anchor, json!({"title": "t", "extends": {"a": "1"}})).await;
    let id = room["live_id"].as_str().expect("live_id");
    for extends in [json!({"b": "2"}), json!({"B": "3", "": "\u{1f600}"}), json!({"c": ""})] {
        let body = json!({"live_id": id, "extends": extends});
        api.put("/client/live/room/extends").by(&anchor).json(&body).send().await.done();
        assert_eq!(api.info(&anchor, id).await["extends"], extends);
    }
    let body = json!({"live_id": id, "extends": {}});
    api.put("/client/live/room/extends").by(&anchor).json(&body).send().await.done();
    let extends = api.info(&anchor, id).await["extends"].clone();
    assert!(extends == json!({}) || extends.is_null(), "{extends}");
    Ok(())
}

async fn extends_are_for_the_anchor(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&other, &id).await;
    let body = json!({"live_id": id, "extends": {"a": "1"}});
    api.put("/client/live/room/extends").by(&other).json(&body).send().await.forbidden();
    api.put("/client/live/room/extends").json(&body).send().await.unauthorized();
    assert_eq!(api.info(&anchor, &id).await["extends"], Value::Null);
    Ok(())
}

async fn extends_name_a_room(api: Api) -> Verdict {
    let anchor = api.user().await;
    let set = |body: Value| api.put("/client/live/room/extends").by(&anchor).json(&body).send();
    set(json!({"extends": {"a": "1"}})).await.bad_in("live_id");
    set(json!({"live_id": "", "extends": {"a": "1"}})).await.bad_in("live_id");
    set(json!({"live_id": "nope", "extends": {"a": "1"}})).await.not_found();
    api.put("/client/live/room/extends").by(&anchor).send().await.bad_in("live_id");
    Ok(())
}

async fn no_room_without_its_chat(api: Api) -> Verdict {
    let im = FakeIm::start().await;
    let own = api.own_server(|config| config.im = im.config()).await?;
    let (target, anchor) = (own.api(), own.api().user().await);
    im.set_mood(Mood::Status(500));
    let body = json!({"title": "t"});
    let answer = target.post("/client/live/room/instance").by(&anchor).json(&body).may_fail().send().await;
    answer.refused(503, 503);
    let body = json!({"title": "t", "anchor_id": anchor.id});
    let answer = target.post("/server/live").server().json(&body).may_fail().send().await;
    answer.refused(503, 503);
    let rows = target.get("/client/live/room/list/anchor").by(&anchor).send().await;
    assert_eq!(rows.ok()["total_count"], 0);
    im.set_mood(Mood::Well);
    assert!(
        target.room_with(&anchor, json!({"title": "t"})).await["chat_id"].as_i64().is_some_and(|id| id > 0)
    );
    own.stop().await;
    Ok(())
}
