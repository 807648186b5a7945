//! The ways in which the released SDKs and backends spell their requests: paths, bodies and names that
//! all mean the same.

use serde_json::{Value, json};

use super::world::unique;
use super::{Api, Verdict, cases};

cases![
    repeated_slashes_collapse,
    a_slash_at_the_end_is_ignored,
    the_ios_sdk_leaves_by_a_doubled_slash,
    slashes_mean_nothing_on_open_routes,
    unknown_fields_are_ignored,
    field_names_match_in_any_case,
    names_inside_extends_are_kept,
    the_last_of_two_spellings_counts,
    null_is_absent,
    a_missing_body_is_an_empty_object,
    any_content_type_is_read_as_json,
    order_and_spaces_do_not_matter,
    query_parameters_nobody_knows_are_ignored,
];

const CREATE: &str = "/client/live/room/instance";

async fn repeated_slashes_collapse(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.live_room(&user).await;
    for path in [
        format!("/client//live/room/info/{id}"),
        format!("//client/live/room/info/{id}"),
        format!("/client/live/room/info//{id}"),
        format!("///client////live//room/info///{id}"),
    ] {
        assert_eq!(api.get(path).by(&user).send().await.ok()["live_id"], id);
    }
    api.get(format!("/server//live//{id}")).server().send().await.ok();
    api.post(format!("//server/live/{id}//stop")).server().send().await.done();
    Ok(())
}

async fn a_slash_at_the_end_is_ignored(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.room(&user).await;
    let room = api.post(format!("{CREATE}/")).by(&user).json(&json!({"title": "t"})).send().await;
    assert_eq!(room.ok()["title"], "t");
    api.put(format!("/client/live/room/{id}/")).by(&user).send().await.ok();
    api.get(format!("/client/live/room/info/{id}///")).by(&user).send().await.ok();
    api.get("/client/live/room/list/?page_size=1").by(&user).send().await.ok();
    api.get("/client/live/room/?keyword=x").by(&user).send().await.ok();
    api.get("/client/user/profile/").by(&user).send().await.ok();
    api.get(format!("/client/user/{}/", user.id)).by(&user).send().await.ok();
    api.post("/server/user/register/").server().json(&json!({"user_id": unique("u")})).send().await.done();
    api.get(format!("/server/auth/token/?app_id=a&user_id={}", user.id)).server().send().await.ok();
    api.delete(format!("/client/live/room/{id}/")).by(&user).send().await.done();
    Ok(())
}

async fn the_ios_sdk_leaves_by_a_doubled_slash(api: Api) -> Verdict {
    let (anchor, viewer) = (api.user().await, api.user().await);
    let id = api.live_room(&anchor).await;
    for path in [format!("/client//live/room/user/{id}"), format!("/client/live/room/user//{id}")] {
        api.join(&viewer, &id).await;
        api.delete(&path).by(&viewer).send().await.done();
        api.beat_refused(&viewer, &id).await;
        let host = api.target.host();
        api.join(&viewer, &id).await;
        let head = format!("DELETE {path} HTTP/1.1\nHost: {host}\nAuthorization: {}", viewer.token);
        api.raw_one(&head, b"").await.done();
        api.beat_refused(&viewer, &id).await;
    }
    Ok(())
}

async fn slashes_mean_nothing_on_open_routes(api: Api) -> Verdict {
    for path in ["//status", "/status/", "/healthz/", "//readyz//", "//status//"] {
        api.get(path).send().await.ok();
    }
    assert_eq!(api.get("//openapi.json").document().send().await.status, 200);
    Ok(())
}

async fn unknown_fields_are_ignored(api: Api) -> Verdict {
    let user = api.user().await;
    let body =
        json!({"title": "t", "more": {"deep": [1, {"x": null}]}, "live_status": 2, "pv": "many", "": 0});
    let room = api.room_with(&user, body).await;
    assert_eq!((&room["title"], &room["live_status"], &room["pv"]), (&json!("t"), &json!(0), &json!(0)));
    let body = json!({"user_id": unique("u"), "im_userid": 1, "role": "admin"});
    api.post("/server/user/register").server().json(&body).send().await.done();
    Ok(())
}

async fn field_names_match_in_any_case(api: Api) -> Verdict {
    let user = api.user().await;
    let body = json!({"Title": "t", "NOTICE": "n", "Cover_Url": "c", "Start_AT": 1_900_000_000, "eXtends": {"a": "b"}});
    let room = api.room_with(&user, body).await;
    let facts = (&room["title"], &room["notice"], &room["cover_url"], &room["start_time"], &room["extends"]);
    assert_eq!(facts, (&json!("t"), &json!("n"), &json!("c"), &json!(1_900_000_000), &json!({"a": "b"})));
    let id = unique("u");
    api.post("/server/user/register").server().json(&json!({"USER_ID": id, "Nick": "n"})).send().await.done();
    let found = api.get(format!("/server/user/info/{id}")).server().send().await;
    assert_eq!(found.ok()["nick"], "n");
    let batch = json!([{"User_Id": unique("u")}]);
    api.post("/server/user/register/batch").server().json(&batch).send().await.ok();
    let body = json!({"LIVE_ID": room["live_id"], "EXTENDS": {"c": "d"}});
    api.put("/client/live/room/extends").by(&user).json(&body).send().await.done();
    Ok(())
}

async fn names_inside_extends_are_kept(api: Api) -> Verdict {
    let user = api.user().await;
    let extends = json!({"Key": "1", "KEY": "2", "key": "3", "Title": "4"});
    assert_eq!(api.room_with(&user, json!({"title": "t", "extends": extends})).await["extends"], extends);
    Ok(())
}

/// As Go's decoder has it, which reads the fields in their order.
async fn the_last_of_two_spellings_counts(api: Api) -> Verdict {
    let user = api.user().await;
    for body in [r#"{"title":"first","Title":"last"}"#, r#"{"TITLE":"first","title":"last"}"#] {
        let answer = api.post(CREATE).by(&user).body("application/json", body).send().await;
        assert_eq!(answer.ok()["title"], "last", "{body}");
    }
    Ok(())
}

async fn null_is_absent(api: Api) -> Verdict {
    let user = api.user().await;
    let nulls = json!({
        "title": "t", "notice": null, "cover_url": null, "extends": null, "start_at": null, "end_at": null,
        "publish_expire_at": null,
    });
    let room = api.room_with(&user, nulls).await;
    assert_eq!(
        (&room["notice"], &room["extends"], &room["start_time"]),
        (&json!(""), &Value::Null, &json!(0))
    );
    api.post(CREATE).by(&user).json(&json!({"title": null})).send().await.bad_in("title");
    api.put("/client/user/user").by(&user).json(&json!({"nick": "n", "avatar": null})).send().await.done();
    api.put("/client/user/user").by(&user).json(&json!({"nick": null})).send().await.done();
    api.put("/client/user/user").by(&user).body("application/json", "null").send().await.done();
    assert_eq!(api.get("/client/user/profile").by(&user).send().await.ok()["nick"], "n");
    let body = json!({"user_id": unique("u"), "nick": null, "avatar": null, "extends": null});
    api.post("/server/user/register").server().json(&body).send().await.done();
    Ok(())
}

async fn a_missing_body_is_an_empty_object(api: Api) -> Verdict {
    let user = api.user().await;
    for call in [
        api.put("/client/user/user"),
        api.put("/client/user/user").header("Content-Type", "application/json"),
        api.put("/client/user/user").body("", ""),
        api.put("/client/user/user").json(&json!({})),
    ] {
        call.by(&user).send().await.done();
    }
    api.put(format!("/server/user/{}", user.id)).server().send().await.done();
    api.post(CREATE).by(&user).send().await.bad_in("title");
    api.post("/server/user/register").server().send().await.bad_in("user_id");
    api.post("/server/live").server().send().await.bad();
    let host = api.target.host();
    let head = format!("PUT /client/user/user HTTP/1.1\nHost: {host}\nAuthorization: {}", user.token);
    api.raw_one(&head, b"").await.done();
    Ok(())
}

async fn any_content_type_is_read_as_json(api: Api) -> Verdict {
    let user = api.user().await;
    let body = json!({"title": "typed"}).to_string();
    for kind in [
        "",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "nonsense",
    ] {
        let answer = api.post(CREATE).by(&user).body(kind, body.clone()).send().await;
        assert_eq!(answer.ok()["title"], "typed", "{kind:?}");
    }
    let head = format!(
        "POST {CREATE} HTTP/1.1\nHost: {}\nAuthorization: {}\nContent-Length: {}",
        api.target.host(),
        user.token,
        body.len()
    );
    assert_eq!(api.raw_one(&head, body.as_bytes()).await.ok()["title"], "typed");
    Ok(())
}

async fn order_and_spaces_do_not_matter(api: Api) -> Verdict {
    let user = api.user().await;
    let body = " \n\t{ \"extends\" : { } , \"title\" : \"spaced\\u0041\" }\r\n ";
    let answer = api.post(CREATE).by(&user).body("application/json", body).send().await;
    assert_eq!(answer.ok()["title"], "spacedA");
    Ok(())
}

async fn query_parameters_nobody_knows_are_ignored(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.room(&user).await;
    for query in ["?", "?x", "?x=1&x=2", "?%", "?=&=&&", "?title=%F0%9F%98%80"] {
        api.get(format!("/client/live/room/info/{id}{query}")).by(&user).send().await.ok();
    }
    Ok(())
}
