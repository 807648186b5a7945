//! http-api.md §1: what is wrong with a body is said with 400, never cut, never a server error.

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Call;
use super::world::{User, unique};
use super::{Api, Verdict, cases};

cases![
    pictures_come_from_the_web_or_a_path,
    titles_do_not_turn_the_direction_of_writing,
    wrong_shapes_are_told_in_words_of_json,
    bodies_that_are_no_json_are_bad,
    bodies_of_another_shape_are_bad,
    deep_json_is_bad,
    fields_of_a_wrong_type_are_bad,
    extends_are_flat_text,
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
        let broken: [&[u8]; 11] = [
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
        let deep = format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
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

async fn pictures_come_from_the_web_or_a_path(api: Api) -> Verdict {
    let user = api.user().await;
    let calls = |text: &str| {
        let item = json!({"item_id": unique("i"), "title": "t", "current_price": "1", "thumbnail": text});
        [
            ("cover_url", api.post(CREATE).by(&user).json(&json!({"title": "t", "cover_url": text}))),
            (
                "cover_url",
                api.post("/server/live")
                    .server()
                    .json(&json!({"title": "t", "anchor_id": user.id, "cover_url": text})),
            ),
            (
                "avatar",
                api.post("/server/user/register")
                    .server()
                    .json(&json!({"user_id": unique("u"), "avatar": text})),
            ),
            ("avatar", api.put("/client/user/user").by(&user).json(&json!({"avatar": text}))),
            ("avatar", api.put(format!("/server/user/{}", user.id)).server().json(&json!({"avatar": text}))),
            (
                "thumbnail",
                api.post("/server/item/add").server().json(&json!({"live_id": "none", "items": [item]})),
            ),
        ]
    };
    for text in ["javascript:alert(1)", "data:text/html,x", " JAVA\tscript:x", "file:///etc/passwd"] {
        for (field, call) in calls(text) {
            call.send().await.bad_in(field);
        }
    }
    for text in
        ["", "cover.png", "/covers/1.png", "//cdn.example/1.png", "HTTPS://cdn.example/1?a=b:c", "头像.png"]
    {
        for (field, call) in calls(text).into_iter().filter(|(field, _)| *field != "thumbnail") {
            assert_eq!(call.send().await.status, 200, "{field} {text}");
        }
    }
    Ok(())
}

async fn titles_do_not_turn_the_direction_of_writing(api: Api) -> Verdict {
    let user = api.user().await;
    for title in ["live\u{202e}evil", "\u{2067}a\u{2069}"] {
        api.post(CREATE).by(&user).json(&json!({"title": title})).send().await.bad_in("title");
        let body = json!({"title": title, "anchor_id": user.id});
        api.post("/server/live").server().json(&body).send().await.bad_in("title");
    }
    // Marks of direction belong into Arabic and Hebrew text.
    api.post(CREATE).by(&user).json(&json!({"title": "\u{200f}لايف\u{200e}"})).send().await.ok();
    Ok(())
}

async fn wrong_shapes_are_told_in_words_of_json(api: Api) -> Verdict {
    let user = api.user().await;
    let told = [
        (api.post("/server/user/register").server().json(&json!([])), "expected an object"),
        (api.post("/server/user/register/batch").server().json(&json!({})), "expected a list"),
        (api.post("/server/user/register/batch").server().json(&json!([7])), "expected an object"),
        (api.post(CREATE).by(&user).json(&json!({"title": "t", "extends": 7})), "expected an object"),
    ];
    for (call, wanted) in told {
        let answer: Answer = call.send().await;
        let message = answer.bad().message();
        assert!(message.contains(wanted) && !message.contains("struct"), "{message}");
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
