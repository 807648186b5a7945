//! http-api.md §1: what is wrong with a body is said with 400, never cut, never a server error.

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Call;
use super::world::{User, unique};
use super::{Api, Verdict, cases};

cases![
    bodies_that_are_no_json_are_bad,
    bodies_of_another_shape_are_bad,
    deep_json_is_bad,
    fields_of_a_wrong_type_are_bad,
    extends_are_flat_text,
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

const CREATE: &str = "/client/live/room/instance";

/// The calls whose body is a JSON object, by name.
fn writers(api: &Api, user: &User) -> [(&'static str, Call); 7] {
    [
        ("create", api.post(CREATE).by(user)),
        ("server create", api.post("/server/live").server()),
        ("extends", api.put("/client/live/room/extends").by(user)),
        ("register", api.post("/server/user/register").server()),
        ("update", api.put(format!("/server/user/{}", user.id)).server()),
        ("update oneself", api.put("/client/user/user").by(user)),
        ("login", api.post("/manager/login")),
    ]
}

async fn bodies_that_are_no_json_are_bad(api: Api) -> Verdict {
    let user = api.user().await;
    for (name, call) in writers(&api, &user) {
        let broken: [&[u8]; 12] = [
            b"{",
            b"}",
            b"{\"title\":}",
            b"{\"title\":\"t\"",
            b"{'title':'t'}",
            b"title=t",
            b"<title/>",
            b"\xff\xfe\xfd",
            b"{\"title\":\"\xff\"}",
            b"{\"title\":\"\xed\xa0\x80\"}",
            b"{\"title\":\"\\ud800\"}",
            b"\x00",
        ];
        for body in broken {
            let answer = call.clone().body("application/json", body).send().await;
            assert_eq!(answer.status, 400, "{name}: {answer:?}");
            answer.bad();
        }
    }
    Ok(())
}

async fn bodies_of_another_shape_are_bad(api: Api) -> Verdict {
    let user = api.user().await;
    for (name, call) in writers(&api, &user) {
        for body in [json!([]), json!([{}]), json!("text"), json!(7), json!(true)] {
            let answer = call.clone().json(&body).send().await;
            assert_eq!(answer.status, 400, "{name}: {answer:?}");
        }
    }
    Ok(())
}

async fn deep_json_is_bad(api: Api) -> Verdict {
    let user = api.user().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
        for (name, call) in writers(&api, &user) {
            for field in ["extends", "title", "unknown"] {
                let body = format!("{{\"title\":\"t\",\"{field}\":{deep}}}");
                let answer = call.clone().body("application/json", body).send().await;
                assert_eq!(answer.status, 400, "{name}, {field}: {answer:?}");
            }
            let answer = call.clone().body("application/json", deep.clone()).send().await;
            assert_eq!(answer.status, 400, "{name}: {answer:?}");
        }
    }
    Ok(())
}

async fn fields_of_a_wrong_type_are_bad(api: Api) -> Verdict {
    let user = api.user().await;
    let texts = [json!(7), json!(1.5), json!(true), json!([]), json!(["a"]), json!({}), json!({"a": "b"})];
    let check = async |field: &str, value: &Value, call: Call, mut body: Value| {
        body[field] = value.clone();
        let answer: Answer = call.json(&body).send().await;
        answer.bad_in(field);
    };
    for value in &texts {
        for field in ["title", "notice", "cover_url"] {
            check(field, value, api.post(CREATE).by(&user), json!({"title": "t"})).await;
        }
        for field in ["anchor_id", "title"] {
            let body = json!({"title": "t", "anchor_id": user.id});
            check(field, value, api.post("/server/live").server(), body).await;
        }
        for field in ["user_id", "nick", "avatar"] {
            let body = json!({"user_id": unique("u")});
            check(field, value, api.post("/server/user/register").server(), body).await;
        }
        for field in ["nick", "avatar"] {
            check(field, value, api.put("/client/user/user").by(&user), json!({})).await;
            check(field, value, api.put(format!("/server/user/{}", user.id)).server(), json!({})).await;
        }
        check("live_id", value, api.put("/client/live/room/extends").by(&user), json!({"extends": {}})).await;
    }
    Ok(())
}

async fn extends_are_flat_text(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.room(&user).await;
    let wrong = [
        json!("text"),
        json!(7),
        json!([]),
        json!([["a", "b"]]),
        json!({"a": 1}),
        json!({"a": true}),
        json!({"a": {}}),
        json!({"a": ["b"]}),
        json!({"a": "b", "c": 1.5}),
    ];
    for extends in wrong {
        let body = json!({"title": "t", "user_id": unique("u"), "live_id": id, "extends": extends});
        let calls = [
            api.post(CREATE).by(&user),
            api.put("/client/live/room/extends").by(&user),
            api.put("/client/user/user").by(&user),
            api.post("/server/user/register").server(),
            api.put(format!("/server/user/{}", user.id)).server(),
        ];
        for call in calls {
            call.json(&body).send().await.bad_in("extends");
        }
        let batch = api.post("/server/user/register/batch").server().json(&json!([body])).send().await;
        batch.bad();
    }
    Ok(())
}

/// Checks that `length` characters are taken, of any width, and one more is refused.
async fn assert_width<F: Future<Output = Answer>>(field: &str, length: usize, send: impl Fn(String) -> F) {
    for letter in ["x", "\u{e9}", "\u{674e}", "\u{1f600}"] {
        send(letter.repeat(length)).await.ok();
        send(letter.repeat(length + 1)).await.bad_in(field);
    }
    send("x".repeat(100_000)).await.bad_in(field);
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

/// Silent in the specification: the whole batch may be refused, or the bad entry be named; but the good
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
