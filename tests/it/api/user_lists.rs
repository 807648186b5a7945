//! http-api.md §4: many users at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::Answer;
use super::users::{info, register};
use super::world::{User, column, unique};
use super::{Api, Verdict, cases};

cases![
    a_batch_registers,
    a_batch_names_the_failed_ones_only,
    a_batch_has_1_to_200_entries,
    a_batch_with_an_empty_id_is_bad,
    a_batch_may_hold_one_user_twice,
    lists_of_users_take_ids_in_every_spelling,
    lists_of_users_leave_unknown_ones_out,
    lists_of_users_have_1_to_200_ids,
    profiles_take_a_body,
    im_users_take_ids_in_every_spelling,
    im_user_ids_are_numbers,
];

async fn a_batch_registers(api: Api) -> Verdict {
    let ids: Vec<String> = (0..200).map(|_| unique("u")).collect();
    let body: Vec<Value> =
        ids.iter().map(|id| json!({"user_id": id, "nick": id, "extends": {"k": id}})).collect();
    let answer = api.post("/server/user/register/batch").server().json(&json!(body)).send().await;
    assert_eq!(*answer.ok(), json!({}));
    let query: Vec<String> = ids.iter().map(|id| format!("user_ids={id}")).collect();
    let answer = api.get(format!("/server/user/infos?{}", query.join("&"))).server().send().await;
    let users = answer.ok().as_array().expect("a list");
    assert_eq!(users.len(), 200);
    for user in users {
        assert_eq!((&user["nick"], &user["extends"]["k"]), (&user["user_id"], &user["user_id"]));
    }
    let profile = api.get(format!("/server/user/profile/{}", ids[0])).server().send().await;
    assert_eq!(profile.ok()["im_username"], format!("ql{}", ids[0]));
    Ok(())
}

async fn a_batch_names_the_failed_ones_only(api: Api) -> Verdict {
    let (old, fresh) = (unique("u"), unique("u"));
    register(&api, json!({"user_id": old, "nick": "old"})).await.done();
    let body = json!([{"user_id": old, "nick": "new"}, {"user_id": fresh}]);
    let answer = api.post("/server/user/register/batch").server().json(&body).send().await;
    assert_eq!(*answer.ok(), json!({ &old: "Already existed" }));
    assert_eq!(info(&api, &old).await["nick"], "old");
    info(&api, &fresh).await;
    Ok(())
}

async fn a_batch_has_1_to_200_entries(api: Api) -> Verdict {
    let ids: Vec<String> = (0..201).map(|_| unique("u")).collect();
    let body: Vec<Value> = ids.iter().map(|id| json!({"user_id": id})).collect();
    for body in [json!([]), json!(body), json!({}), json!("x"), json!([1]), json!(["a"])] {
        api.post("/server/user/register/batch").server().json(&body).send().await.bad();
    }
    api.post("/server/user/register/batch").server().send().await.bad();
    api.get(format!("/server/user/info/{}", ids[0])).server().send().await.not_found();
    Ok(())
}

async fn a_batch_with_an_empty_id_is_bad(api: Api) -> Verdict {
    let id = unique("u");
    for body in [json!([{"user_id": id}, {"user_id": ""}]), json!([{"user_id": id}, {"nick": "nobody"}])] {
        api.post("/server/user/register/batch").server().json(&body).send().await.bad_in("user_id");
    }
    api.get(format!("/server/user/info/{id}")).server().send().await.not_found();
    Ok(())
}

async fn a_batch_may_hold_one_user_twice(api: Api) -> Verdict {
    let id = unique("u");
    let body = json!([{"user_id": id, "nick": "first"}, {"user_id": id, "nick": "second"}]);
    let answer = api.post("/server/user/register/batch").server().json(&body).send().await;
    assert_eq!(*answer.ok(), json!({ &id: "Already existed" }));
    assert_eq!(info(&api, &id).await["nick"], "first");
    Ok(())
}

/// The lists of users by id: path, and who may ask.
async fn user_lists(api: &Api) -> Vec<(&'static str, Option<User>)> {
    let user = api.user().await;
    vec![("/server/user/infos", None), ("/server/user/profiles", None), ("/client/user/users", Some(user))]
}

async fn list(api: &Api, target: String, by: &Option<User>) -> Answer {
    let call = api.get(target);
    match by {
        Some(user) => call.by(user),
        None => call.server(),
    }
    .send()
    .await
}

async fn lists_of_users_take_ids_in_every_spelling(api: Api) -> Verdict {
    let (a, b) = (api.user().await, api.user().await);
    let wanted: BTreeSet<&str> = [a.id.as_str(), b.id.as_str()].into();
    for (path, by) in user_lists(&api).await {
        for name in ["user_ids", "user_ids[]", "user_ids%5B%5D"] {
            let answer = list(&api, format!("{path}?{name}={}&{name}={}", a.id, b.id), &by).await;
            let found: BTreeSet<&str> = column(answer.ok(), "user_id").into_iter().collect();
            assert_eq!(found, wanted, "{answer:?}");
            let password = answer.ok()[0].get("im_password").is_some();
            assert_eq!(password, path.ends_with("profiles"), "{answer:?}");
        }
    }
    Ok(())
}

async fn lists_of_users_leave_unknown_ones_out(api: Api) -> Verdict {
    let a = api.user().await;
    for (path, by) in user_lists(&api).await {
        let target = format!("{path}?user_ids={}&user_ids={}&user_ids={}", a.id, unique("ghost"), a.id);
        assert_eq!(column(list(&api, target, &by).await.ok(), "user_id"), [a.id.as_str()]);
        let answer = list(&api, format!("{path}?user_ids={}", unique("ghost")), &by).await;
        assert_eq!(*answer.ok(), json!([]));
    }
    Ok(())
}

async fn lists_of_users_have_1_to_200_ids(api: Api) -> Verdict {
    let many = |count: usize| (0..count).map(|n| format!("user_ids=g{n}")).collect::<Vec<_>>().join("&");
    for (path, by) in user_lists(&api).await {
        list(&api, path.to_owned(), &by).await.bad_in("user_ids");
        list(&api, format!("{path}?{}", many(201)), &by).await.bad_in("user_ids");
        list(&api, format!("{path}?{}", many(200)), &by).await.ok();
    }
    Ok(())
}

async fn profiles_take_a_body(api: Api) -> Verdict {
    let (a, b) = (api.user().await, api.user().await);
    let call = |body: Value| api.get("/server/user/profiles").server().json(&body).send();
    let answer = call(json!([a.id, b.id, unique("ghost")])).await;
    let found: BTreeSet<&str> = column(answer.ok(), "user_id").into_iter().collect();
    assert_eq!(found, [a.id.as_str(), b.id.as_str()].into());
    assert!(answer.ok()[0]["im_password"].is_string(), "{answer:?}");
    let many: Vec<String> = (0..201).map(|n| format!("g{n}")).collect();
    for body in [json!([]), json!([1]), json!(many), json!("x"), json!(7)] {
        call(body).await.bad();
    }
    Ok(())
}

async fn im_users_take_ids_in_every_spelling(api: Api) -> Verdict {
    let (a, b) = (api.user().await, api.user().await);
    let im_id = async |user: &User| info(&api, &user.id).await["im_userid"].as_i64().expect("im_userid");
    let (first, second) = (im_id(&a).await, im_id(&b).await);
    let wanted: BTreeSet<&str> = [a.id.as_str(), b.id.as_str()].into();
    let queries = [
        format!("im_user_ids={first}&im_user_ids={second}"),
        format!("im_user_ids[]={first}&im_user_ids[]={second}"),
        format!("im_user_ids={first},{second}"),
        format!("im_user_ids={first}%2C{second}"),
        format!("im_user_ids={first},{second}&im_user_ids={first}"),
    ];
    for query in queries {
        let answer = api.get(format!("/client/user/imusers?{query}")).by(&a).send().await;
        let found = column(answer.ok(), "user_id");
        assert_eq!((found.len(), found.into_iter().collect()), (2, wanted.clone()), "{answer:?}");
    }
    let answer = api.get(format!("/client/user/imusers?im_user_ids={}", 1_i64 << 52)).by(&a).send().await;
    assert_eq!(*answer.ok(), json!([]));
    Ok(())
}

async fn im_user_ids_are_numbers(api: Api) -> Verdict {
    let user = api.user().await;
    let many: Vec<String> = (1..=201).map(|n| n.to_string()).collect();
    let queries = ["".to_owned(), "=".to_owned(), "=abc".to_owned(), "=1,x".to_owned(), "=1.5".to_owned()];
    let queries = queries.into_iter().chain([format!("={}", many.join(",")), format!("={}", "9".repeat(30))]);
    for query in queries {
        let answer = api.get(format!("/client/user/imusers?im_user_ids{query}")).by(&user).send().await;
        answer.bad_in("im_user_ids");
    }
    api.get("/client/user/imusers").by(&user).send().await.bad_in("im_user_ids");
    Ok(())
}
