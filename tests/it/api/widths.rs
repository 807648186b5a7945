//! http-api.md §1: strings are as wide as their column; longer is 400, never cut.

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Call;
use super::world::{User, unique};
use super::{Api, Verdict, cases};

const CREATE: &str = "/client/live/room/instance";

cases![
    titles_have_128_characters,
    notices_and_covers_have_255_characters,
    nicks_have_64_and_avatars_255_characters,
    extends_of_a_room_have_1024_bytes,
    extends_of_a_user_have_1024_bytes,
    what_is_too_long_is_never_cut,
    a_batch_with_a_bad_entry_says_so,
    ids_in_paths_have_64_characters,
    ids_in_paths_are_text,
];

/// Checks that `length` characters are taken, of any width, and one more is refused.
async fn assert_width<F: Future<Output = Answer>>(field: &str, length: usize, send: impl Fn(String) -> F) {
    for letter in ["x", "\u{e9}", "\u{674e}", "\u{1f600}"] {
        send(letter.repeat(length)).await.ok();
        send(letter.repeat(length + 1)).await.bad_in(field);
    }
    send("x".repeat(60_000)).await.bad_in(field);
}

async fn titles_have_128_characters(api: Api) -> Verdict {
    let user = api.user().await;
    assert_width("title", 128, |title| api.post(CREATE).by(&user).json(&json!({"title": title})).send())
        .await;
    assert_width("title", 128, |title| {
        api.post("/server/live").server().json(&json!({"title": title, "anchor_id": user.id})).send()
    })
    .await;
    Ok(())
}

async fn notices_and_covers_have_255_characters(api: Api) -> Verdict {
    let user = api.user().await;
    for field in ["notice", "cover_url"] {
        assert_width(field, 255, |text| {
            api.post(CREATE).by(&user).json(&json!({"title": "t", field: text})).send()
        })
        .await;
    }
    Ok(())
}

async fn nicks_have_64_and_avatars_255_characters(api: Api) -> Verdict {
    let user = api.user().await;
    for (field, length) in [("nick", 64), ("avatar", 255)] {
        assert_width(field, length, |text| {
            api.post("/server/user/register")
                .server()
                .json(&json!({"user_id": unique("u"), field: text}))
                .send()
        })
        .await;
        assert_width(field, length, |text| {
            api.put(format!("/server/user/{}", user.id)).server().json(&json!({field: text})).send()
        })
        .await;
        assert_width(field, length, |text| {
            api.put("/client/user/user").by(&user).json(&json!({field: text})).send()
        })
        .await;
    }
    Ok(())
}

/// A map whose JSON text has exactly `bytes` bytes.
fn extends_of(bytes: usize) -> Value {
    let frame = json!({"k": ""}).to_string().len();
    json!({"k": "v".repeat(bytes - frame)})
}

async fn extends_of_a_room_have_1024_bytes(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.room(&user).await;
    let create =
        |extends: &Value| api.post(CREATE).by(&user).json(&json!({"title": "t", "extends": extends})).send();
    let replace = |extends: &Value| {
        let body = json!({"live_id": id, "extends": extends});
        api.put("/client/live/room/extends").by(&user).json(&body).send()
    };
    assert_eq!(create(&extends_of(1024)).await.ok()["extends"], extends_of(1024));
    create(&extends_of(1025)).await.bad_in("extends");
    replace(&extends_of(1024)).await.done();
    replace(&extends_of(1025)).await.bad_in("extends");
    replace(&json!({"k": "\u{1f600}".repeat(300)})).await.bad_in("extends");
    assert_eq!(api.info(&user, &id).await["extends"], extends_of(1024));
    Ok(())
}

async fn extends_of_a_user_have_1024_bytes(api: Api) -> Verdict {
    let user = api.user().await;
    let register = |extends: &Value| {
        api.post("/server/user/register")
            .server()
            .json(&json!({"user_id": unique("u"), "extends": extends}))
            .send()
    };
    register(&extends_of(1024)).await.done();
    register(&extends_of(1025)).await.bad_in("extends");
    let update =
        |extends: &Value| api.put("/client/user/user").by(&user).json(&json!({"extends": extends})).send();
    update(&extends_of(1025)).await.bad_in("extends");
    update(&extends_of(1000)).await.done();
    update(&json!({"more": "than the merged map may hold"})).await.bad_in("extends");
    let own = api.get("/client/user/profile").by(&user).send().await;
    assert_eq!(own.ok()["extends"], extends_of(1000));
    Ok(())
}

async fn what_is_too_long_is_never_cut(api: Api) -> Verdict {
    let user = api.user().await;
    let update = |body: Value| api.put("/client/user/user").by(&user).json(&body).send();
    update(json!({"nick": "before", "avatar": "before"})).await.done();
    update(json!({"nick": "after", "avatar": "x".repeat(256)})).await.bad_in("avatar");
    update(json!({"nick": "x".repeat(65), "avatar": "after"})).await.bad_in("nick");
    let own = api.get("/client/user/profile").by(&user).send().await;
    assert_eq!((&own.ok()["nick"], &own.ok()["avatar"]), (&json!("before"), &json!("before")));
    let id = unique("u");
    let body = json!({"user_id": id, "nick": "x".repeat(65)});
    api.post("/server/user/register").server().json(&body).send().await.bad_in("nick");
    api.get(format!("/server/user/info/{id}")).server().send().await.not_found();
    let refused = api.post(CREATE).by(&user).json(&json!({"title": "x".repeat(129)})).send().await;
    refused.bad_in("title");
    let rooms = api.get("/client/live/room/list/anchor").by(&user).send().await;
    assert_eq!(rooms.ok()["total_count"], 0);
    Ok(())
}

/// TimedOut in the specification: the whole batch may be refused, or the bad entry be named; but the good
/// one is registered exactly when the answer says so, and the bad one never.
async fn a_batch_with_a_bad_entry_says_so(api: Api) -> Verdict {
    for bad in [json!({"user_id": "x".repeat(65)}), json!({"user_id": unique("u"), "nick": "x".repeat(65)})] {
        let good = unique("u");
        let body = json!([{"user_id": good}, bad]);
        let answer = api.post("/server/user/register/batch").server().json(&body).send().await;
        let bad_id = bad["user_id"].as_str().expect("user_id");
        let found = api.get(format!("/server/user/info/{good}")).server().send().await;
        if answer.status == 200 {
            let failed = answer.ok().as_object().expect("a map");
            assert_eq!(failed.keys().collect::<Vec<_>>(), [bad_id], "{answer:?}");
            found.ok();
        } else {
            answer.bad();
            found.not_found();
        }
        let found = api.get(format!("/server/user/infos?user_ids={bad_id}")).server().send().await;
        assert!(found.status == 400 || *found.ok() == json!([]), "{found:?}");
    }
    Ok(())
}

/// Every route with an id in its path, as its caller.
fn with_id(api: &Api, user: &User, id: &str) -> Vec<Call> {
    let client = [
        ("GET", format!("/client/live/room/info/{id}")),
        ("PUT", format!("/client/live/room/{id}")),
        ("DELETE", format!("/client/live/room/{id}")),
        ("POST", format!("/client/live/room/{id}")),
        ("DELETE", format!("/client/live/room/instance/{id}")),
        ("DELETE", format!("/live/room/instance/{id}")),
        ("POST", format!("/client/live/room/user/{id}")),
        ("DELETE", format!("/client/live/room/user/{id}")),
        ("GET", format!("/client/user/user/{id}")),
        ("GET", format!("/client/user/{id}")),
        ("GET", format!("/client/live/room/heartbeat/{id}")),
    ];
    let server = [
        ("GET", format!("/server/user/info/{id}")),
        ("GET", format!("/server/user/profile/{id}")),
        ("PUT", format!("/server/user/{id}")),
        ("GET", format!("/server/live/{id}")),
        ("POST", format!("/server/live/{id}/stop")),
        ("DELETE", format!("/server/live/{id}")),
    ];
    let client = client.into_iter().map(|(method, target)| api.call(method, target).by(user));
    client.chain(server.into_iter().map(|(method, target)| api.call(method, target).server())).collect()
}

async fn ids_in_paths_have_64_characters(api: Api) -> Verdict {
    let user = api.user().await;
    let (long, huge) = ("9".repeat(65), "9".repeat(4000));
    for id in [&long, &huge] {
        for call in with_id(&api, &user, id) {
            let answer = call.send().await;
            assert!([400, 404].contains(&answer.status), "{answer:?}");
        }
        let body = json!({"live_id": id, "extends": {}});
        let answer = api.put("/client/live/room/extends").by(&user).json(&body).send().await;
        assert!([400, 404].contains(&answer.status), "{answer:?}");
        let answer = api.get(format!("/client/live/room/user_list?live_id={id}")).by(&user).send().await;
        assert!([400, 404].contains(&answer.status), "{answer:?}");
    }
    Ok(())
}

async fn ids_in_paths_are_text(api: Api) -> Verdict {
    let user = api.user().await;
    for id in ["%FF", "%C3%28", "%ED%A0%80", "a%00b"] {
        for call in with_id(&api, &user, id) {
            let answer = call.send().await;
            assert!([400, 404].contains(&answer.status), "{answer:?}");
        }
    }
    Ok(())
}
