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
    // A call with a token ends no session.
    let by = api.operator().await;
    api.delete("/admin/session").by(&by).send().await.done();
    api.get("/admin/session").by(&by).send().await.ok();
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
