//! http-api.md §2: the console's sessions, which bring an administrator's token in a cookie.

use serde_json::json;

use super::answer::Answer;
use super::client::Call;
use super::world::{now, unique};
use super::{Api, Verdict, cases};

cases![
    a_session_is_a_cookie_that_no_script_and_no_other_site_can_use,
    a_cookie_counts_only_with_the_consoles_header,
    what_a_session_does_is_noted,
    a_session_that_was_ended_stays_ended,
    a_log_out_ends_the_token_of_the_header_and_no_other,
    another_password_ends_all_sessions,
    an_administrator_who_is_created_again_has_no_old_tokens,
    ones_own_password_is_changed_by_who_knows_it,
    a_session_ends_with_its_administrator,
    bad_log_ins_begin_no_session,
];

const PASSWORD: &str = "a good password";

/// An administrator's name, and the answer that begins a session.
async fn begin(api: &Api) -> (String, Answer) {
    let (by, name) = (api.operator().await, unique("admin"));
    let body = json!({"user_name": name, "password": PASSWORD});
    api.post("/admin/users").by(&by).json(&body).send().await.ok();
    let answer = api.post("/manager/session").json(&body).send().await;
    (name, answer)
}

/// What the browser sends back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

/// A call as the console makes it.
fn from_console(call: Call, cookie: &str) -> Call {
    call.header("cookie", cookie).header("x-liveloom-console", "1")
}

async fn a_session_is_a_cookie_that_no_script_and_no_other_site_can_use(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    assert_eq!(answer.ok()["user_id"], name.as_str());
    let life = answer.ok()["expires_at"].as_i64().expect("expires_at") - now();
    assert!((12 * 3600 - 60..=12 * 3600).contains(&life), "{life}");
    assert!(!answer.ok().to_string().contains("ey"), "the token is told to scripts");
    let set = answer.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/admin", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{attribute} in {set}");
    }
    assert!(!set.contains("Secure"), "a browser would not send it back over http");
    let secure = api.post("/manager/session").header("x-forwarded-proto", "https");
    let secure = secure.json(&json!({"user_name": name, "password": PASSWORD})).send().await;
    assert!(secure.header("set-cookie").contains("; Secure"));
    Ok(())
}

async fn a_cookie_counts_only_with_the_consoles_header(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    let cookie = cookie(&answer);
    let shown = from_console(api.get("/admin/session"), &cookie).send().await;
    assert_eq!(shown.ok(), answer.ok());
    let listed = from_console(api.get("/admin/users"), &cookie).send().await;
    assert!(listed.ok()["total_count"].as_i64() > Some(0));
    api.get("/admin/session").header("cookie", &cookie).send().await.unauthorized();
    api.get("/admin/session").header("x-liveloom-console", "1").send().await.unauthorized();
    let forged = from_console(api.get("/admin/session"), &format!("{cookie}x")).send().await;
    forged.unauthorized();
    // A token in the header wins, also a bad one.
    let both = from_console(api.get("/admin/session"), &cookie).header("authorization", "bad");
    both.send().await.unauthorized();
    let preflight = api.call("OPTIONS", "/admin/users").header("origin", "https://elsewhere.example");
    let preflight = preflight.header("access-control-request-method", "GET");
    let preflight = preflight.header("access-control-request-headers", "x-liveloom-console");
    let answer = preflight.may_fail().send().await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "{name}: {answer:?}");
    Ok(())
}

async fn what_a_session_does_is_noted(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    let cookie = cookie(&answer);
    from_console(api.post("/admin/censor/stoplive/1"), &cookie).send().await.not_found();
    let path = format!("/admin/operations?user_id={name}");
    let log = from_console(api.get(path), &cookie).send().await;
    let row = &log.ok()["list"][0];
    assert_eq!((&row["url"], &row["status_code"]), (&json!("/admin/censor/stoplive/1"), &json!(404)));
    assert!(!row.to_string().contains("liveloom_console"), "{row}");
    Ok(())
}

async fn a_session_that_was_ended_stays_ended(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    let ended = cookie(&answer);
    let other =
        api.post("/manager/session").json(&json!({"user_name": name, "password": PASSWORD})).send().await;
    let end = from_console(api.delete("/admin/session"), &ended).send().await;
    end.done();
    let set = end.header("set-cookie");
    assert!(set.starts_with("liveloom_console=;") && set.contains("Max-Age=0"), "{set}");
    for method in ["GET", "DELETE"] {
        from_console(api.call(method, "/admin/session"), &ended).send().await.unauthorized();
    }
    assert_ne!(cookie(&other), ended, "sessions of one second are two");
    from_console(api.get("/admin/session"), &cookie(&other)).send().await.ok();
    // The token of the cookie is no bearer's either.
    let (_, token) = ended.split_once('=').expect("a value");
    api.get("/admin/session").authorization(token).send().await.unauthorized();
    api.get("/admin/session").authorization(format!("Bearer {token}")).send().await.unauthorized();
    Ok(())
}

async fn a_log_out_ends_the_token_of_the_header_and_no_other(api: Api) -> Verdict {
    let (name, _) = begin(&api).await;
    let body = json!({"user_name": name, "password": PASSWORD});
    let log_in = async || {
        let answer = api.post("/manager/login").json(&body).send().await;
        answer.ok()["access_token"].as_str().expect("a token").to_owned()
    };
    let (one, other) = (log_in().await, log_in().await);
    assert_ne!(one, other, "tokens of one second are two");
    api.delete("/admin/session").authorization(format!("Bearer {one}")).send().await.done();
    for method in ["GET", "DELETE"] {
        api.call(method, "/admin/session").authorization(&one).send().await.unauthorized();
    }
    api.get("/client/user/profile").authorization(&one).send().await.unauthorized();
    from_console(api.get("/admin/session"), &format!("liveloom_console={one}")).send().await.unauthorized();
    api.get("/admin/session").authorization(&other).send().await.ok();
    // Also one that a backend asked for.
    let by = api.operator().await;
    api.delete("/admin/session").by(&by).send().await.done();
    api.get("/admin/session").by(&by).send().await.unauthorized();
    Ok(())
}

async fn another_password_ends_all_sessions(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    let cookie = cookie(&answer);
    let body = json!({"user_name": name, "password": PASSWORD});
    let bearer = api.post("/manager/login").json(&body).send().await;
    let bearer = bearer.ok()["access_token"].as_str().expect("a token").to_owned();
    let issued = api.operator_called(&name).await;
    let boss = api.operator().await;
    let path = format!("/admin/users/{name}");
    // What is no password ends nothing.
    api.put(&path).by(&boss).json(&json!({"description": "d"})).send().await.ok();
    from_console(api.get("/admin/session"), &cookie).send().await.ok();
    let better = "quite another password";
    api.put(&path).by(&boss).json(&json!({"password": better})).send().await.ok();
    from_console(api.get("/admin/session"), &cookie).send().await.unauthorized();
    api.get("/admin/session").authorization(bearer).send().await.unauthorized();
    api.get("/admin/session").by(&issued).send().await.unauthorized();
    api.get("/admin/session").by(&boss).send().await.ok();
    // At once, in the same second, too.
    for _ in 0..3 {
        let again =
            api.post("/manager/session").json(&json!({"user_name": name, "password": better})).send().await;
        let again = self::cookie(&again);
        from_console(api.get("/admin/session"), &again).send().await.ok();
        api.put(&path).by(&boss).json(&json!({"password": better})).send().await.ok();
        from_console(api.get("/admin/session"), &again).send().await.unauthorized();
    }
    Ok(())
}

async fn an_administrator_who_is_created_again_has_no_old_tokens(api: Api) -> Verdict {
    let boss = api.operator().await;
    for _ in 0..3 {
        let (name, answer) = begin(&api).await;
        let (cookie, issued) = (cookie(&answer), api.operator_called(&name).await);
        api.delete(format!("/admin/users/{name}")).by(&boss).send().await.done();
        let body = json!({"user_name": name, "password": PASSWORD});
        api.post("/admin/users").by(&boss).json(&body).send().await.ok();
        from_console(api.get("/admin/session"), &cookie).send().await.unauthorized();
        api.get("/admin/session").by(&issued).send().await.unauthorized();
        // New ones are good at once.
        let again = api.post("/manager/session").json(&body).send().await;
        from_console(api.get("/admin/session"), &self::cookie(&again)).send().await.ok();
        api.get("/admin/session").by(&api.operator_called(&name).await).send().await.ok();
        // Also where a backend's call for a token creates the administrator.
        api.delete(format!("/admin/users/{name}")).by(&boss).send().await.done();
        let created = api.operator_called(&name).await;
        api.get("/admin/session").by(&issued).send().await.unauthorized();
        api.get("/admin/session").by(&created).send().await.ok();
    }
    Ok(())
}

async fn ones_own_password_is_changed_by_who_knows_it(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    let cookie = cookie(&answer);
    let change = |body: serde_json::Value| {
        let call = from_console(api.put(format!("/admin/users/{name}")), &cookie).json(&body);
        async move { call.send().await }
    };
    let better = "quite another password";
    let refused = change(json!({"password": better})).await;
    refused.forbidden();
    assert!(refused.message().starts_with("old_password: "), "{refused:?}");
    change(json!({"password": better, "old_password": "a bad password"})).await.forbidden();
    change(json!({"password": better, "old_password": ""})).await.forbidden();
    change(json!({"description": "needs none"})).await.ok();
    from_console(api.get("/admin/session"), &cookie).send().await.ok();
    change(json!({"password": better, "old_password": PASSWORD})).await.ok();
    from_console(api.get("/admin/session"), &cookie).send().await.unauthorized();
    let body = json!({"user_name": name, "password": better});
    api.post("/manager/session").json(&body).send().await.ok();
    // Who has none needs none to take one; others are changed without.
    let by = api.operator().await;
    let first = json!({"user_name": unique("n"), "password": PASSWORD});
    api.put(format!("/admin/users/{}", by.id)).by(&by).json(&first).send().await.ok();
    let other = api.operator().await;
    api.put(format!("/admin/users/{name}")).by(&other).json(&json!({"password": PASSWORD})).send().await.ok();
    Ok(())
}

async fn a_session_ends_with_its_administrator(api: Api) -> Verdict {
    let (name, answer) = begin(&api).await;
    let cookie = cookie(&answer);
    let other = api.operator().await;
    api.delete(format!("/admin/users/{name}")).by(&other).send().await.done();
    from_console(api.get("/admin/session"), &cookie).send().await.unauthorized();
    Ok(())
}

async fn bad_log_ins_begin_no_session(api: Api) -> Verdict {
    let (name, _) = begin(&api).await;
    for (user_name, password) in [(name.as_str(), "a bad password"), ("nobody-here", PASSWORD)] {
        let body = json!({"user_name": user_name, "password": password});
        let answer = api.post("/manager/session").json(&body).send().await;
        answer.refused(403, 30001);
        assert_eq!(answer.header("set-cookie"), "");
    }
    for body in [json!({}), json!({"user_name": name}), json!({"user_name": 1, "password": PASSWORD})] {
        api.post("/manager/session").json(&body).send().await.bad();
    }
    let long = json!({"user_name": "x".repeat(256), "password": PASSWORD});
    api.post("/manager/session").json(&long).send().await.bad_in("user_name");
    Ok(())
}
