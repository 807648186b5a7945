//! http-api.md §2 and §11: who may call `/admin`, and the administrators themselves.

use serde_json::{Value, json};

use super::world::{User, column, unique};
use super::{Api, Verdict, cases};

cases![
    only_administrators_may_call,
    a_deleted_administrator_is_out_at_once,
    an_administrator_is_created_and_logs_in,
    names_and_ids_are_taken_once,
    limits_are_checked,
    an_administrator_is_changed,
    nobody_deletes_themselves,
    the_last_one_who_can_log_in_stays,
    of_two_who_delete_each_other_one_remains,
    administrators_are_listed,
    ids_are_compared_byte_by_byte,
];

const PASSWORD: &str = "a good password";

impl Api {
    /// A new administrator without a password, with a token.
    pub async fn operator(&self) -> User {
        self.operator_called(&unique("admin")).await
    }

    /// The administrator of that id, with a token.
    pub async fn operator_called(&self, id: &str) -> User {
        let target = format!("/server/auth/admin/token?app_id=suite&user_id={id}");
        let answer = self.get(target).server().send().await;
        let token = answer.ok()["access_token"].as_str().expect("access_token").to_owned();
        User { id: id.to_owned(), token }
    }
}

/// A new administrator who can log in.
async fn create(api: &Api, by: &User) -> String {
    let name = unique("admin");
    let body = json!({"user_name": name, "password": PASSWORD});
    api.post("/admin/users").by(by).json(&body).send().await.ok();
    name
}

/// The token that a log-in gives.
async fn log_in(api: &Api, name: &str, password: &str) -> User {
    let body = json!({"user_name": name, "password": password});
    let answer = api.post("/manager/login").json(&body).send().await;
    let token = answer.ok()["access_token"].as_str().expect("access_token").to_owned();
    User { id: name.to_owned(), token }
}

async fn only_administrators_may_call(api: Api) -> Verdict {
    let user = api.user().await;
    let calls = [
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("PUT", "/admin/users/x"),
        ("DELETE", "/admin/users/x"),
        ("GET", "/admin/operations"),
        ("GET", "/admin/censor/config"),
        ("POST", "/admin/censor/config"),
        ("POST", "/admin/censor/stoplive/1"),
        ("POST", "/admin/censor/job/start"),
        ("POST", "/admin/censor/job/close"),
        ("GET", "/admin/censor/job/list"),
        ("GET", "/admin/censor/job/query?job=x"),
        ("GET", "/admin/censor/live"),
        ("GET", "/admin/censor/record"),
        ("POST", "/admin/censor/audit"),
    ];
    let body = json!({
        "live_id": "1", "image_list": [1], "review_answer": 1, "user_name": "x", "password": PASSWORD,
        "enable": false,
    });
    for (method, path) in calls {
        let call = || {
            let call = api.call(method, path);
            if method == "GET" { call } else { call.json(&body) }
        };
        call().send().await.unauthorized();
        call().by(&user).send().await.forbidden();
        call().server().send().await.unauthorized();
        call().authorization("x.y.z").send().await.unauthorized();
    }
    Ok(())
}

async fn a_deleted_administrator_is_out_at_once(api: Api) -> Verdict {
    let (boss, leaver) = (api.operator().await, api.operator().await);
    api.get("/admin/users").by(&leaver).send().await.ok();
    api.delete(format!("/admin/users/{}", leaver.id)).by(&boss).send().await.done();
    api.get("/admin/users").by(&leaver).send().await.unauthorized();
    api.post("/admin/censor/config").by(&leaver).json(&json!({})).send().await.unauthorized();
    api.delete(format!("/admin/users/{}", leaver.id)).by(&boss).send().await.not_found();
    Ok(())
}

async fn an_administrator_is_created_and_logs_in(api: Api) -> Verdict {
    let boss = api.operator().await;
    let (name, id) = (unique("name"), unique("id"));
    let body = json!({"user_name": name, "user_id": id, "password": PASSWORD, "description": "night shift"});
    let created = api.post("/admin/users").by(&boss).json(&body).send().await;
    let wanted = json!({"user_id": id, "user_name": name, "description": "night shift", "can_log_in": true});
    assert_eq!(created.ok(), &wanted);
    let own = log_in(&api, &name, PASSWORD).await;
    api.get("/admin/users").by(&own).send().await.ok();
    let wrong = json!({"user_name": name, "password": "another password"});
    api.post("/manager/login").json(&wrong).send().await.refused(403, 30001);
    Ok(())
}

async fn names_and_ids_are_taken_once(api: Api) -> Verdict {
    let boss = api.operator().await;
    let name = create(&api, &boss).await;
    let taken = [
        json!({"user_name": name, "user_id": unique("id"), "password": PASSWORD}),
        json!({"user_name": unique("name"), "user_id": name, "password": PASSWORD}),
        json!({"user_name": unique("name"), "user_id": boss.id, "password": PASSWORD}),
    ];
    for body in taken {
        api.post("/admin/users").by(&boss).json(&body).send().await.refused(400, 10001);
    }
    let other = create(&api, &boss).await;
    let change = json!({"user_name": name});
    api.put(format!("/admin/users/{other}")).by(&boss).json(&change).send().await.refused(400, 10001);
    // Of many who want one name at once, one gets it.
    let wanted = unique("name");
    let all = (0..6).map(|number| {
        let body =
            json!({"user_name": wanted, "user_id": format!("{wanted}-{number}"), "password": PASSWORD});
        api.post("/admin/users").by(&boss).json(&body).send()
    });
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    Ok(())
}

async fn limits_are_checked(api: Api) -> Verdict {
    let boss = api.operator().await;
    let good = json!({"user_name": unique("n"), "password": PASSWORD});
    let bad = [
        ("user_name", json!("")),
        ("user_name", json!("x".repeat(65))),
        ("user_name", json!(" x")),
        ("user_name", json!("x\ny")),
        ("user_name", Value::Null),
        ("user_id", json!("")),
        ("user_id", json!("x".repeat(65))),
        ("password", json!("seven77")),
        ("password", json!("x".repeat(256))),
        ("password", json!("password")),
        ("password", json!("12345678")),
        ("password", json!("Passw0rd!")),
        ("password", json!("qwertyuiop")),
        ("password", json!("change-me")),
        // The name.
        ("password", good["user_name"].clone()),
        ("user_id", json!("a?b")),
        ("user_name", json!("a\u{202e}b")),
        ("user_id", json!("\u{200b}\u{3164}")),
        ("password", Value::Null),
        ("description", json!("x".repeat(256))),
    ];
    for (field, value) in bad {
        let mut body = good.clone();
        body[field] = value;
        api.post("/admin/users").by(&boss).json(&body).send().await.bad_in(field);
    }
    let target = format!("/admin/users/{}", boss.id);
    for (field, value) in [
        ("password", "short"),
        ("password", "11111111"),
        ("user_name", ""),
        ("user_name", "a?"),
        ("description", &"x".repeat(256)),
    ] {
        api.put(&target).by(&boss).json(&json!({field: value})).send().await.bad_in(field);
    }
    api.delete(format!("/admin/users/{}", "x".repeat(65))).by(&boss).send().await.bad();
    Ok(())
}

async fn an_administrator_is_changed(api: Api) -> Verdict {
    let boss = api.operator().await;
    let id = create(&api, &boss).await;
    let target = format!("/admin/users/{id}");
    let renamed = unique("name");
    let body = json!({"user_name": renamed, "password": "a better password", "description": "day"});
    let changed = api.put(&target).by(&boss).json(&body).send().await;
    let wanted = json!({"user_id": id, "user_name": renamed, "description": "day", "can_log_in": true});
    assert_eq!(changed.ok(), &wanted);
    log_in(&api, &renamed, "a better password").await;
    let old = json!({"user_name": renamed, "password": PASSWORD});
    api.post("/manager/login").json(&old).send().await.refused(403, 30001);

    // What is absent is left alone.
    let changed = api.put(&target).by(&boss).json(&json!({"description": ""})).send().await;
    assert_eq!(changed.ok()["description"], "");
    log_in(&api, &renamed, "a better password").await;
    // One who was made by a call for a token gets name and password, and logs in again.
    let body = json!({"user_name": unique("name"), "password": PASSWORD});
    let changed = api.put(format!("/admin/users/{}", boss.id)).by(&boss).json(&body).send().await;
    assert_eq!(changed.ok()["can_log_in"], true);
    log_in(&api, body["user_name"].as_str().expect("a name"), PASSWORD).await;
    let boss = api.operator().await;
    api.put("/admin/users/nobody-of-that-id").by(&boss).json(&body).send().await.not_found();
    Ok(())
}

async fn nobody_deletes_themselves(api: Api) -> Verdict {
    let boss = api.operator().await;
    api.delete(format!("/admin/users/{}", boss.id)).by(&boss).send().await.forbidden();
    api.get("/admin/users").by(&boss).send().await.ok();
    Ok(())
}

async fn the_last_one_who_can_log_in_stays(api: Api) -> Verdict {
    // The suite's own administrator is the only one with a password there.
    let own = api.own_server(|_| {}).await?;
    let api = own.api();
    let boss = api.operator().await;
    api.delete("/admin/users/suite-admin").by(&boss).send().await.bad();
    create(&api, &boss).await;
    api.delete("/admin/users/suite-admin").by(&boss).send().await.done();
    own.stop().await;
    Ok(())
}

async fn of_two_who_delete_each_other_one_remains(api: Api) -> Verdict {
    for _ in 0..4 {
        let (one, other) = (api.operator().await, api.operator().await);
        let first = api.delete(format!("/admin/users/{}", other.id)).by(&one).send();
        let second = api.delete(format!("/admin/users/{}", one.id)).by(&other).send();
        let (first, second) = tokio::join!(first, second);
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{first:?} {second:?}");
    }
    Ok(())
}

async fn administrators_are_listed(api: Api) -> Verdict {
    let boss = api.operator().await;
    let name = create(&api, &boss).await;
    let mut seen = Vec::new();
    for page in 1.. {
        let answer = api.get(format!("/admin/users?page_num={page}&page_size=200")).by(&boss).send().await;
        seen.extend(column(&answer.ok()["list"], "user_id").into_iter().map(str::to_owned));
        assert!(!String::from_utf8_lossy(&answer.body).contains("argon2"), "no password is shown");
        if answer.ok()["end_page"] == true {
            break;
        }
    }
    let at = |id: &str| seen.iter().position(|seen| seen == id).expect("is listed");
    assert!(at(&boss.id) < at(&name), "oldest first");
    api.get("/admin/users?page_num=0").by(&boss).send().await.bad_in("page_num");
    Ok(())
}

async fn ids_are_compared_byte_by_byte(api: Api) -> Verdict {
    let boss = api.operator().await;
    let name = create(&api, &boss).await;
    let upper = name.to_uppercase();
    api.delete(format!("/admin/users/{upper}")).by(&boss).send().await.not_found();
    api.put(format!("/admin/users/{upper}")).by(&boss).json(&json!({})).send().await.not_found();
    let body = json!({"user_name": upper, "password": PASSWORD});
    api.post("/manager/login").json(&body).send().await.refused(403, 30001);
    Ok(())
}
