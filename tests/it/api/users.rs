//! http-api.md §4: users.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::escape;
use super::world::{column, eventually, unique};
use super::{Api, Verdict, cases};
use crate::support::fake::Mood;
use crate::support::fake_im::FakeIm;

cases![
    a_registered_user_can_be_looked_up,
    a_user_object_has_the_documented_fields,
    a_profile_has_the_im_account,
    nobody_else_sees_the_im_password,
    a_user_registers_once,
    of_racing_registrations_one_wins,
    user_ids_follow_their_rules,
    unusual_user_ids_are_allowed,
    ids_that_were_registered_before_stay_reachable,
    nicks_have_something_to_see_and_no_control,
    user_ids_are_compared_byte_by_byte,
    users_may_be_called_like_routes,
    an_update_leaves_empty_fields_alone,
    an_update_merges_extends,
    an_update_of_an_unknown_user_is_404,
    a_client_updates_itself,
    a_client_looks_up_others,
    an_unknown_user_is_404,
    registration_survives_an_im_that_is_down,
];

/// Registers a user with that body.
pub async fn register(api: &Api, body: Value) -> Answer {
    api.post("/server/user/register").server().json(&body).send().await
}

/// The user as a business backend sees them.
pub async fn info(api: &Api, id: &str) -> Value {
    api.get(format!("/server/user/info/{}", escape(id))).server().send().await.ok().clone()
}

async fn a_registered_user_can_be_looked_up(api: Api) -> Verdict {
    let id = unique("u");
    let body =
        json!({"user_id": id, "nick": "Nick \u{1f600}", "avatar": "http://a/b.png", "extends": {"Age": "7"}});
    register(&api, body).await.done();
    let user = info(&api, &id).await;
    assert_eq!(user["user_id"], id);
    assert_eq!(user["nick"], "Nick \u{1f600}");
    assert_eq!(user["avatar"], "http://a/b.png");
    assert_eq!(user["extends"], json!({"Age": "7"}));
    Ok(())
}

async fn a_user_object_has_the_documented_fields(api: Api) -> Verdict {
    let id = unique("u");
    register(&api, json!({"user_id": id})).await.done();
    let user = info(&api, &id).await;
    assert_eq!((&user["nick"], &user["avatar"], &user["extends"]), (&json!(""), &json!(""), &Value::Null));
    assert_fields(&user, &["user_id", "nick", "avatar", "extends", "im_userid"], &["im_username"]);
    let im_id = user["im_userid"].as_i64().expect("im_userid");
    assert!(0 < im_id && im_id < 1 << 53, "{user}");
    Ok(())
}

/// Panics unless `object` has all of `wanted`, perhaps some of `optional`, and nothing else.
fn assert_fields(object: &Value, wanted: &[&str], optional: &[&str]) {
    let fields: BTreeSet<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
    assert!(fields.is_superset(&wanted), "{:?} are missing in {object}", wanted.difference(&fields));
    let more: Vec<_> = fields.difference(&wanted).filter(|name| !optional.contains(name)).collect();
    assert!(more.is_empty(), "{more:?} are not documented: {object}");
}

async fn a_profile_has_the_im_account(api: Api) -> Verdict {
    let user = api.user().await;
    let fields = ["user_id", "nick", "avatar", "extends", "im_userid", "im_username", "im_password"];
    let own = api.get("/client/user/profile").by(&user).send().await.ok().clone();
    let of_server = api.get(format!("/server/user/profile/{}", user.id)).server().send().await.ok().clone();
    assert_eq!(own, of_server);
    assert_fields(&own, &fields, &[]);
    assert_eq!(own["im_username"], format!("ql{}", user.id));
    assert!(own["im_password"].as_str().is_some_and(|password| password.len() >= 8), "{own}");
    assert_eq!(own["im_userid"], info(&api, &user.id).await["im_userid"]);
    let other = api.user().await;
    let others = api.get("/client/user/profile").by(&other).send().await.ok().clone();
    assert_ne!(others["im_password"], own["im_password"]);
    assert_ne!(others["im_userid"], own["im_userid"]);
    Ok(())
}

async fn nobody_else_sees_the_im_password(api: Api) -> Verdict {
    let (user, other) = (api.user().await, api.user().await);
    let im_id = info(&api, &user.id).await["im_userid"].clone();
    let room = api.room(&user).await;
    let calls = [
        api.get(format!("/client/user/user/{}", user.id)),
        api.get(format!("/client/user/{}", user.id)),
        api.get(format!("/client/user/users?user_ids={}", user.id)),
        api.get(format!("/client/user/imusers?im_user_ids={im_id}")),
        api.get(format!("/client/live/room/info/{room}")),
    ];
    for call in calls {
        let answer = call.by(&other).send().await;
        let text = answer.ok().to_string();
        assert!(text.contains(&user.id) && !text.contains("password"), "{answer:?}");
    }
    let answer = api.get(format!("/server/user/infos?user_ids={}", user.id)).server().send().await;
    assert!(!answer.ok().to_string().contains("password"), "{answer:?}");
    Ok(())
}

async fn a_user_registers_once(api: Api) -> Verdict {
    let id = unique("u");
    register(&api, json!({"user_id": id, "nick": "first"})).await.done();
    register(&api, json!({"user_id": id, "nick": "second"}))
        .await
        .refused(400, 10001)
        .says("Already existed");
    assert_eq!(info(&api, &id).await["nick"], "first");
    Ok(())
}

async fn of_racing_registrations_one_wins(api: Api) -> Verdict {
    let id = unique("u");
    let calls = (0..8).map(|n| register(&api, json!({"user_id": id, "nick": format!("n{n}")})));
    let answers = futures_util::future::join_all(calls).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1, "{answers:?}");
    lost.iter().for_each(|answer| answer.refused(400, 10001).says("Already existed"));
    let tokens = (0..8).map(|_| api.user_called(&id));
    futures_util::future::join_all(tokens).await;
    Ok(())
}

async fn user_ids_follow_their_rules(api: Api) -> Verdict {
    let start = unique("u");
    let long = "u".repeat(65);
    let wide = "\u{674e}".repeat(65);
    let bad = [
        String::new(),
        "_".to_owned(),
        " ".to_owned(),
        long,
        wide,
        format!(" {start}"),
        format!("{start} "),
        format!("{start}\n"),
        format!("{start}\tx"),
        format!("{start}\u{0}x"),
        format!("{start}\u{7f}x"),
        format!("{start}\u{85}x"),
        format!("{start}?x"),
        format!("{start}\u{202e}x"),
        format!("\u{2066}{start}"),
        "\u{200b}\u{2060}".to_owned(),
        "\u{3164}".to_owned(),
        "\u{feff}\u{2800}".to_owned(),
    ];
    for id in bad {
        register(&api, json!({"user_id": id})).await.bad_in("user_id");
    }
    register(&api, json!({})).await.bad_in("user_id");
    register(&api, json!({"user_id": null})).await.bad_in("user_id");
    Ok(())
}

async fn unusual_user_ids_are_allowed(api: Api) -> Verdict {
    let start = unique("");
    let fill = |letter: &str| format!("{}{start}", letter.repeat(64 - start.len()));
    let ids = [
        fill("u"),
        fill("\u{674e}"),
        fill("\u{1f600}"),
        format!("two words {start}"),
        format!("__{start}"),
        format!("a'b\"c%d_e\\f;{start}"),
        format!("a+b&c=d#e,{start}"),
        format!("<{start}>"),
    ];
    for id in &ids {
        register(&api, json!({"user_id": id})).await.done();
        let user = info(&api, id).await;
        assert_eq!(user["user_id"], *id);
        assert!(user["im_userid"].as_i64().is_some_and(|im_id| im_id > 0), "{user}");
        let own = api.get("/client/user/profile").by(&api.user_called(id).await).send().await;
        assert_eq!(own.ok()["user_id"], *id);
    }
    let query: Vec<String> = ids.iter().map(|id| format!("user_ids={}", escape(id))).collect();
    let answer = api.get(format!("/server/user/infos?{}", query.join("&"))).server().send().await;
    let found: BTreeSet<&str> = column(answer.ok(), "user_id").into_iter().collect();
    assert_eq!(found, ids.iter().map(String::as_str).collect());
    Ok(())
}

async fn ids_that_were_registered_before_stay_reachable(api: Api) -> Verdict {
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    for (number, id) in ["who?", "who\u{202e}ami", "\u{200b}\u{3164}"].into_iter().enumerate() {
        own.execute(format!(
            "INSERT INTO live_users (user_id, nick, im_userid, im_username) VALUES ('{id}', 'n', {number}7, 'i{number}')"
        ))
        .await;
        let escaped = super::client::escape(id);
        let answer = api.get(format!("/server/auth/token?app_id=a&user_id={escaped}")).server().send().await;
        let token = answer.ok()["access_token"].as_str().expect("a token").to_owned();
        let user = super::world::User { id: id.to_owned(), token };
        assert_eq!(api.get("/client/user/profile").by(&user).send().await.ok()["user_id"], id);
        let infos = api.get(format!("/server/user/infos?user_ids={escaped}")).server().send().await;
        assert_eq!(infos.ok()[0]["user_id"], id);
        let live_id = api.live_room(&user).await;
        assert_eq!(api.beat(&user, &live_id).await, 1);
        assert_eq!(api.members(&api.user().await, &live_id).await, [id]);
        register(&api, json!({"user_id": id})).await.bad_in("user_id");
    }
    own.stop().await;
    Ok(())
}

async fn nicks_have_something_to_see_and_no_control(api: Api) -> Verdict {
    let user = api.user().await;
    for nick in [
        "a\nb",
        "\u{1b}[31m",
        "\u{0}",
        " ",
        "\u{3000}",
        "\u{200b}",
        "\u{3164}\u{115f}",
        "a\u{202e}b",
        "\u{2066}a",
    ] {
        let body = json!({"user_id": unique("u"), "nick": nick});
        register(&api, body).await.bad_in("nick");
        let change = json!({"nick": nick});
        api.put("/client/user/user").by(&user).json(&change).send().await.bad_in("nick");
        api.put(format!("/server/user/{}", user.id)).server().json(&change).send().await.bad_in("nick");
    }
    for nick in ["", " a ", "\u{1f469}\u{200d}\u{1f469}", "\u{645}\u{6cc}\u{200c}\u{62e}"] {
        api.put("/client/user/user").by(&user).json(&json!({"nick": nick})).send().await.done();
    }
    Ok(())
}

async fn user_ids_are_compared_byte_by_byte(api: Api) -> Verdict {
    let start = unique("");
    let ids =
        ["bob", "BOB", "b\u{f3}b", "bo\u{301}b", "b\u{df}b", "bssb"].map(|name| format!("{start}{name}"));
    for (index, id) in ids.iter().enumerate() {
        for other in ids.iter().skip(index) {
            let target = format!("/server/user/info/{}", escape(other));
            api.get(target).server().send().await.not_found();
        }
        register(&api, json!({"user_id": id, "nick": format!("n{index}")})).await.done();
    }
    for (index, id) in ids.iter().enumerate() {
        let user = info(&api, id).await;
        assert_eq!((&user["user_id"], &user["nick"]), (&json!(id), &json!(format!("n{index}"))));
        let answer = api.get(format!("/server/user/infos?user_ids={}", escape(id))).server().send().await;
        assert_eq!(column(answer.ok(), "user_id"), [id]);
    }
    let target = format!("/server/user/{}", escape(&ids[0]));
    api.put(target).server().json(&json!({"nick": "changed"})).send().await.done();
    assert_eq!(info(&api, &ids[1]).await["nick"], "n1");
    let target = format!("/server/user/{}BoB", start);
    api.put(target).server().json(&json!({"nick": "x"})).send().await.not_found();
    Ok(())
}

/// These ids stand where other routes have a fixed part; the reference's router tells them apart by method.
async fn users_may_be_called_like_routes(api: Api) -> Verdict {
    for id in ["register", "infos", "profiles", "info", "profile"] {
        api.user_called(id).await;
        let nick = unique("nick");
        update(&api, id, json!({"nick": nick})).await;
        assert_eq!(info(&api, id).await["nick"], nick);
    }
    Ok(())
}

async fn update(api: &Api, id: &str, body: Value) {
    api.put(format!("/server/user/{id}")).server().json(&body).send().await.done();
}

async fn an_update_leaves_empty_fields_alone(api: Api) -> Verdict {
    let id = unique("u");
    register(&api, json!({"user_id": id, "nick": "n", "avatar": "a", "extends": {"k": "v"}})).await.done();
    for body in
        [json!({}), json!({"nick": "", "avatar": "", "extends": {}}), json!({"nick": null, "extends": null})]
    {
        update(&api, &id, body).await;
    }
    api.put(format!("/server/user/{id}")).server().send().await.done();
    let user = info(&api, &id).await;
    assert_eq!(
        (&user["nick"], &user["avatar"], &user["extends"]),
        (&json!("n"), &json!("a"), &json!({"k": "v"}))
    );
    update(&api, &id, json!({"avatar": "b", "user_id": "somebody else"})).await;
    let user = info(&api, &id).await;
    assert_eq!((&user["user_id"], &user["nick"], &user["avatar"]), (&json!(id), &json!("n"), &json!("b")));
    Ok(())
}

async fn an_update_merges_extends(api: Api) -> Verdict {
    let id = unique("u");
    register(&api, json!({"user_id": id})).await.done();
    update(&api, &id, json!({"extends": {"a": "1", "b": "2"}})).await;
    update(&api, &id, json!({"extends": {"b": "3", "c": "4", "A": "5"}})).await;
    let extends = &info(&api, &id).await["extends"];
    assert_eq!(*extends, json!({"a": "1", "b": "3", "c": "4", "A": "5"}));
    Ok(())
}

async fn an_update_of_an_unknown_user_is_404(api: Api) -> Verdict {
    let target = format!("/server/user/{}", unique("ghost"));
    api.put(&target).server().json(&json!({"nick": "x"})).send().await.not_found();
    api.put(&target).server().json(&json!({})).send().await.not_found();
    Ok(())
}

async fn a_client_updates_itself(api: Api) -> Verdict {
    let (user, other) = (api.user().await, api.user().await);
    let body = json!({"user_id": other.id, "nick": "mine", "extends": {"a": "1"}});
    api.put("/client/user/user").by(&user).json(&body).send().await.done();
    api.put("/client/user/user")
        .by(&user)
        .json(&json!({"avatar": "x", "extends": {"b": "2"}}))
        .send()
        .await
        .done();
    api.put("/client/user/user").by(&user).send().await.done();
    let own = api.get("/client/user/profile").by(&user).send().await.ok().clone();
    assert_eq!((&own["nick"], &own["avatar"]), (&json!("mine"), &json!("x")));
    assert_eq!(own["extends"], json!({"a": "1", "b": "2"}));
    assert_eq!(info(&api, &other.id).await["nick"], "");
    Ok(())
}

async fn a_client_looks_up_others(api: Api) -> Verdict {
    let (user, other) = (api.user().await, api.user().await);
    for path in ["/client/user/user", "/client/user"] {
        let answer = api.get(format!("{path}/{}", other.id)).by(&user).send().await;
        assert_eq!(answer.ok()["user_id"], other.id);
        assert_fields(answer.ok(), &["user_id", "nick", "avatar", "extends", "im_userid"], &["im_username"]);
    }
    Ok(())
}

async fn an_unknown_user_is_404(api: Api) -> Verdict {
    let (user, ghost) = (api.user().await, unique("ghost"));
    for path in ["/client/user/user", "/client/user"] {
        api.get(format!("{path}/{ghost}")).by(&user).send().await.not_found();
        api.get(format!("{path}/{}", user.id.to_uppercase())).by(&user).send().await.not_found();
    }
    for path in ["/server/user/info", "/server/user/profile"] {
        api.get(format!("{path}/{ghost}")).server().send().await.not_found();
    }
    Ok(())
}

async fn registration_survives_an_im_that_is_down(api: Api) -> Verdict {
    let im = FakeIm::start().await;
    let own = api.own_server(|config| config.im = im.config()).await?;
    let id = unique("u");
    im.set_mood(Mood::Status(500));
    register(&own.api(), json!({"user_id": id})).await.done();
    assert_eq!(info(&own.api(), &id).await["im_userid"], 0);
    im.set_mood(Mood::Well);
    eventually("a look-up opens the account", Duration::from_secs(20), || async {
        info(&own.api(), &id).await["im_userid"].as_i64().is_some_and(|im_id| im_id > 0)
    })
    .await;
    let profile = own.api().get(format!("/server/user/profile/{id}")).server().send().await;
    assert_eq!(profile.ok()["im_username"], format!("ql{id}"));
    own.stop().await;
    Ok(())
}
