//! http-api.md §5: who is in a room.

use serde_json::json;

use super::client::escape;
use super::world::{User, next_second, unique};
use super::{Api, Verdict, cases};

cases![
    a_join_answers_the_room,
    a_created_room_may_be_joined,
    an_ended_room_is_joined_by_nobody,
    joining_twice_is_harmless,
    every_join_adds_a_view,
    one_is_in_at_most_one_room,
    a_start_takes_the_anchor_out_of_a_former_room,
    many_join_at_once,
    leaving_is_harmless_when_not_in,
    who_left_is_out,
    the_anchor_may_leave,
    a_heartbeat_answers_the_state,
    a_heartbeat_of_a_stranger_is_refused,
    the_list_of_users_is_latest_first,
    the_list_of_users_names_a_room,
    membership_wants_credentials,
    user_ids_in_rooms_are_compared_byte_by_byte,
];

async fn a_join_answers_the_room(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let room = api.join(&viewer, &id).await;
    assert_eq!((&room["live_id"], &room["live_status"]), (&json!(id), &json!(1)));
    assert_eq!((&room["anchor_status"], &room["online_count"]), (&json!(1), &json!(2)), "{room}");
    assert_eq!(room["anchor_info"]["user_id"], anchor.id);
    assert_eq!(room["room_token"], "");
    let seen = api.info(&viewer, &id).await;
    assert_eq!((&seen["anchor_status"], &seen["online_count"]), (&json!(1), &json!(2)), "{seen}");
    Ok(())
}

async fn a_created_room_may_be_joined(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.room(&anchor).await;
    let room = api.join(&viewer, &id).await;
    assert_eq!((&room["live_status"], &room["anchor_status"]), (&json!(0), &json!(0)));
    assert_eq!(room["online_count"], 1, "{room}");
    assert_eq!(api.beat(&viewer, &id).await, 0);
    api.start(&anchor, &id).await;
    assert_eq!(api.beat(&viewer, &id).await, 1);
    assert_eq!(api.info(&viewer, &id).await["online_count"], 2);
    Ok(())
}

async fn an_ended_room_is_joined_by_nobody(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.stop(&anchor, &id).await;
    api.post(format!("/client/live/room/user/{id}")).by(&viewer).send().await.bad();
    api.beat_refused(&viewer, &id).await;
    Ok(())
}

async fn joining_twice_is_harmless(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    let first = api.join(&viewer, &id).await;
    let second = api.join(&viewer, &id).await;
    assert_eq!((&first["online_count"], &second["online_count"]), (&json!(2), &json!(2)));
    assert_eq!(api.members(&viewer, &id).await.len(), 2);
    Ok(())
}

async fn every_join_adds_a_view(api: Api) -> Verdict {
    let (anchor, first, second) = (api.user().await, api.user().await, api.user().await);
    let id = api.room(&anchor).await;
    let assert_views = async |pv: i64, uv: i64| {
        for room in [api.info(&first, &id).await, api.server_info(&id).await] {
            let views = (&room["pv"], &room["uv"], &room["total_count"]);
            assert_eq!(views, (&json!(pv), &json!(uv), &json!(pv)), "{room}");
        }
    };
    assert_views(0, 0).await;
    api.join(&first, &id).await;
    assert_views(1, 1).await;
    api.join(&second, &id).await;
    assert_views(2, 2).await;
    api.leave(&first, &id).await;
    assert_eq!(api.join(&first, &id).await["pv"], 3);
    assert_views(3, 2).await;
    Ok(())
}

async fn one_is_in_at_most_one_room(api: Api) -> Verdict {
    let (anchor, other, viewer) = (api.user().await, api.user().await, api.user().await);
    let (former, next) = (api.live_room(&anchor).await, api.live_room(&other).await);
    api.join(&viewer, &former).await;
    api.join(&viewer, &next).await;
    assert_eq!(api.members(&viewer, &former).await, [anchor.id.as_str()]);
    assert_eq!(api.info(&viewer, &former).await["online_count"], 1);
    assert_eq!(api.info(&viewer, &next).await["online_count"], 2);
    api.beat_refused(&viewer, &former).await;
    assert_eq!(api.beat(&viewer, &next).await, 1);
    Ok(())
}

async fn a_start_takes_the_anchor_out_of_a_former_room(api: Api) -> Verdict {
    let (anchor, other) = (api.user().await, api.user().await);
    let former = api.live_room(&other).await;
    api.join(&anchor, &former).await;
    let own = api.live_room(&anchor).await;
    assert_eq!(api.members(&other, &former).await, [other.id.as_str()]);
    assert_eq!(api.members(&other, &own).await, [anchor.id.as_str()]);
    api.beat_refused(&anchor, &former).await;
    Ok(())
}

async fn many_join_at_once(api: Api) -> Verdict {
    let anchor = api.user().await;
    let id = api.live_room(&anchor).await;
    let viewers: Vec<User> = futures_util::future::join_all((0..20).map(|_| api.user())).await;
    futures_util::future::join_all(viewers.iter().chain(&viewers).map(|viewer| api.join(viewer, &id))).await;
    let room = api.info(&anchor, &id).await;
    assert_eq!((&room["online_count"], &room["uv"]), (&json!(21), &json!(20)), "{room}");
    assert_eq!(api.members(&anchor, &id).await.len(), 21);
    futures_util::future::join_all(viewers.iter().map(|viewer| api.leave(viewer, &id))).await;
    assert_eq!(api.info(&anchor, &id).await["online_count"], 1);
    Ok(())
}

async fn leaving_is_harmless_when_not_in(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.leave(&viewer, &id).await;
    api.join(&viewer, &id).await;
    api.leave(&viewer, &id).await;
    api.leave(&viewer, &id).await;
    assert_eq!(api.info(&viewer, &id).await["online_count"], 1);
    let elsewhere = api.live_room(&api.user().await).await;
    api.join(&viewer, &elsewhere).await;
    api.leave(&viewer, &id).await;
    assert_eq!(api.beat(&viewer, &elsewhere).await, 1);
    Ok(())
}

async fn who_left_is_out(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    api.leave(&viewer, &id).await;
    api.beat_refused(&viewer, &id).await;
    assert_eq!(api.members(&viewer, &id).await, [anchor.id.as_str()]);
    assert_eq!(api.join(&viewer, &id).await["online_count"], 2);
    assert_eq!(api.beat(&viewer, &id).await, 1);
    Ok(())
}

async fn the_anchor_may_leave(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    api.leave(&anchor, &id).await;
    let room = api.info(&viewer, &id).await;
    assert_eq!((&room["anchor_status"], &room["live_status"]), (&json!(0), &json!(1)), "{room}");
    assert_eq!(room["online_count"], 1);
    api.beat_refused(&anchor, &id).await;
    assert_eq!(api.join(&anchor, &id).await["anchor_status"], 1);
    Ok(())
}

async fn a_heartbeat_answers_the_state(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    api.join(&viewer, &id).await;
    let target = format!("/client/live/room/heartbeat/{id}");
    for _ in 0..10 {
        let answer = api.get(&target).by(&viewer).once().send().await;
        assert_eq!(*answer.ok(), json!({"live_id": id, "live_status": 1}));
    }
    api.stop(&anchor, &id).await;
    for user in [&anchor, &viewer] {
        let answer = api.get(&target).by(user).send().await;
        assert_eq!(*answer.ok(), json!({"live_id": id, "live_status": 2}));
    }
    Ok(())
}

async fn a_heartbeat_of_a_stranger_is_refused(api: Api) -> Verdict {
    let (anchor, stranger) = (api.user().await, api.user().await);
    let (created, live) = (api.room(&anchor).await, api.live_room(&api.user().await).await);
    for id in [&created, &live] {
        api.beat_refused(&stranger, id).await;
    }
    api.beat_refused(&anchor, &created).await;
    let unknown = api.get("/client/live/room/heartbeat/nope").by(&stranger).send().await;
    assert!([404, 500].contains(&unknown.status), "{unknown:?}");
    Ok(())
}

async fn the_list_of_users_is_latest_first(api: Api) -> Verdict {
    let (anchor, first, second) = (api.user().await, api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for viewer in [&first, &second] {
        next_second().await;
        api.join(viewer, &id).await;
    }
    assert_eq!(api.members(&first, &id).await, [second.id.as_str(), &first.id, &anchor.id]);
    let answer = api.get(format!("/client/live/room/user_list?live_id={id}")).by(&first).send().await;
    let page = answer.ok();
    assert_eq!(
        (&page["total_count"], &page["page_total"], &page["end_page"]),
        (&json!(3), &json!(1), &json!(true))
    );
    let fields = page["list"][0].as_object().expect("a user");
    assert!(fields.contains_key("im_userid") && !fields.contains_key("im_password"), "{fields:?}");
    Ok(())
}

async fn the_list_of_users_names_a_room(api: Api) -> Verdict {
    let user = api.user().await;
    for query in ["", "?live_id=", "?page_num=1"] {
        api.get(format!("/client/live/room/user_list{query}")).by(&user).send().await.bad_in("live_id");
    }
    api.get("/client/live/room/user_list?live_id=nope").by(&user).send().await.not_found();
    api.get("/client/live/room/user_list?live_id=nope").send().await.unauthorized();
    Ok(())
}

async fn membership_wants_credentials(api: Api) -> Verdict {
    let id = api.live_room(&api.user().await).await;
    let calls = [
        ("POST", format!("/client/live/room/user/{id}")),
        ("DELETE", format!("/client/live/room/user/{id}")),
        ("GET", format!("/client/live/room/heartbeat/{id}")),
        ("GET", format!("/client/live/room/info/{id}")),
        ("PUT", format!("/client/live/room/{id}")),
        ("DELETE", format!("/client/live/room/{id}")),
        ("POST", format!("/client/live/room/{id}")),
        ("POST", "/client/live/room/instance".to_owned()),
        ("GET", "/client/live/room/list".to_owned()),
        ("GET", "/client/live/room/list/anchor".to_owned()),
        ("GET", "/client/live/room?keyword=a".to_owned()),
        ("GET", "/client/user/profile".to_owned()),
        ("GET", "/client/user/user/a".to_owned()),
        ("GET", "/client/user/a".to_owned()),
        ("GET", "/client/user/users?user_ids=a".to_owned()),
        ("GET", "/client/user/imusers?im_user_ids=1".to_owned()),
        ("PUT", "/client/user/user".to_owned()),
        ("GET", "/server/auth/token?app_id=a&user_id=b".to_owned()),
        ("POST", "/server/user/register".to_owned()),
        ("POST", "/server/user/register/batch".to_owned()),
        ("PUT", "/server/user/a".to_owned()),
        ("GET", "/server/user/info/a".to_owned()),
        ("GET", "/server/user/infos?user_ids=a".to_owned()),
        ("GET", "/server/user/profile/a".to_owned()),
        ("GET", "/server/user/profiles?user_ids=a".to_owned()),
        ("POST", "/server/live".to_owned()),
        ("GET", format!("/server/live/{id}")),
        ("POST", format!("/server/live/{id}/stop")),
        ("DELETE", format!("/server/live/{id}")),
    ];
    for (method, target) in calls {
        api.call(method, target).send().await.unauthorized();
    }
    Ok(())
}

async fn user_ids_in_rooms_are_compared_byte_by_byte(api: Api) -> Verdict {
    let start = unique("");
    let (small, large) =
        (api.user_called(&format!("{start}bob")).await, api.user_called(&format!("{start}BOB")).await);
    let id = api.live_room(&small).await;
    api.put(format!("/client/live/room/{id}")).by(&large).send().await.forbidden();
    api.beat_refused(&large, &id).await;
    assert_eq!(api.join(&large, &id).await["online_count"], 2);
    api.leave(&large, &id).await;
    assert_eq!(api.beat(&small, &id).await, 1);
    assert_eq!(api.members(&small, &id).await, [small.id.as_str()]);
    let own = api.get("/client/live/room/list/anchor").by(&large).send().await;
    assert_eq!(own.ok()["total_count"], 0);
    let found = api.get(format!("/client/live/room?keyword={}", escape(&large.id))).by(&large).send().await;
    assert_eq!(found.ok()["total_count"], 0, "anchor ids are compared byte by byte: {found:?}");
    Ok(())
}
