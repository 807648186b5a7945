//! http-api.md §2: what administrators do is noted, with secrets masked.

use serde_json::{Value, json};

use super::world::{User, now, unique};
use super::{Api, Verdict, cases};

cases![
    a_call_is_noted_with_its_answer,
    refused_calls_are_noted_too,
    reading_is_not_noted,
    strangers_leave_no_note,
    secrets_are_masked_at_any_depth,
    what_is_too_long_is_cut_with_a_mark,
    long_ids_and_addresses_fit,
    the_log_is_read_by_administrators_alone,
];

/// The notes of an administrator, newest first.
async fn notes(api: &Api, of: &User) -> Vec<Value> {
    let answer = api.get(format!("/admin/operations?user_id={}&page_size=200", of.id)).by(of).send().await;
    answer.ok()["list"].as_array().expect("a list").clone()
}

/// The text at `field`.
fn text<'a>(note: &'a Value, field: &str) -> &'a str {
    note[field].as_str().unwrap_or_else(|| panic!("no {field} in {note}"))
}

async fn a_call_is_noted_with_its_answer(api: Api) -> Verdict {
    let operator = api.operator().await;
    let room = api.live_room(&api.user().await).await;
    let before = now();
    let target = format!("/admin/censor/stoplive/{room}?why=test");
    api.post(target.as_str()).by(&operator).json(&json!({"message": "over"})).send().await.done();
    let all = notes(&api, &operator).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let note = &all[0];
    assert_eq!(text(note, "user_id"), operator.id);
    assert_eq!(text(note, "method"), "POST");
    assert_eq!(text(note, "url"), target);
    assert_eq!(text(note, "args"), r#"{"message":"over"}"#);
    assert_eq!(note["status_code"], 200);
    assert!((before - 1..=now()).contains(&note["created_at"].as_i64().expect("a time")), "{note}");
    assert!(text(note, "ip").parse::<std::net::IpAddr>().is_ok(), "{note}");
    let fields: Vec<&String> = note.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["id", "user_id", "ip", "method", "url", "args", "status_code", "created_at"]);
    Ok(())
}

async fn refused_calls_are_noted_too(api: Api) -> Verdict {
    let operator = api.operator().await;
    api.post("/admin/censor/stoplive/1").by(&operator).send().await.not_found();
    api.post("/admin/censor/config").by(&operator).body("application/json", "{").send().await.bad();
    api.delete(format!("/admin/users/{}", operator.id)).by(&operator).send().await.forbidden();
    api.post("/admin/no/such/route?x=1").by(&operator).send().await.not_found();
    api.call("PATCH", "/admin/users").by(&operator).send().await.refused(405, 405);
    let all = notes(&api, &operator).await;
    let seen: Vec<_> = all
        .iter()
        .map(|note| (text(note, "method"), note["status_code"].as_i64().expect("a status")))
        .collect();
    assert_eq!(seen, [("PATCH", 405), ("POST", 404), ("DELETE", 403), ("POST", 400), ("POST", 404)]);
    assert_eq!(text(&all[3], "args"), "(1 bytes that are not JSON)");
    assert_eq!(text(&all[1], "args"), "x=1", "without a body the query");
    Ok(())
}

async fn reading_is_not_noted(api: Api) -> Verdict {
    let operator = api.operator().await;
    for path in ["/admin/censor/config", "/admin/users", "/admin/operations", "/admin/censor/live"] {
        api.get(path).by(&operator).send().await.ok();
    }
    assert!(notes(&api, &operator).await.is_empty());
    Ok(())
}

async fn strangers_leave_no_note(api: Api) -> Verdict {
    let (operator, user) = (api.operator().await, api.user().await);
    let path = format!("/admin/censor/stoplive/{}", unique("1"));
    api.post(path.as_str()).by(&user).send().await.forbidden();
    api.post(path.as_str()).send().await.unauthorized();
    let answer = api.get("/admin/operations?page_size=200").by(&operator).send().await;
    let list = answer.ok()["list"].as_array().expect("a list");
    assert!(list.iter().all(|note| text(note, "url") != path && text(note, "user_id") != user.id));
    Ok(())
}

async fn secrets_are_masked_at_any_depth(api: Api) -> Verdict {
    let operator = api.operator().await;
    let secret = unique("secret");
    let body = json!({
        "user_name": unique("n"), "password": secret, "x": [{"Access-Token": secret, "keep": "seen"}],
        "client_secret": {"a": secret},
    });
    let target = format!("/admin/users?token={secret}&page=1");
    api.post(target).by(&operator).json(&body).send().await.ok();
    let broken = format!("{{\"password\":\"{secret}\"");
    api.post("/admin/users").by(&operator).body("application/json", broken).send().await.bad();
    let form = format!("password={secret}&user_name=n");
    api.post("/admin/users").by(&operator).body("application/x-www-form-urlencoded", form).send().await.bad();
    let all = notes(&api, &operator).await;
    assert!(!json!(all).to_string().contains(&secret), "{all:?}");
    let args: Value = serde_json::from_str(text(&all[2], "args")).expect("JSON");
    assert_eq!(args["password"], "***");
    assert_eq!(args["x"], json!([{"Access-Token": "***", "keep": "seen"}]));
    assert_eq!(text(&all[2], "url"), "/admin/users?token=***&page=1");
    assert_eq!(text(&all[0], "args"), "password=***&user_name=n");
    Ok(())
}

async fn what_is_too_long_is_cut_with_a_mark(api: Api) -> Verdict {
    let operator = api.operator().await;
    let body = json!({"live_id": "é".repeat(3000)});
    let target = format!("/admin/censor/job/start?x={}", "y".repeat(3000));
    api.post(target).by(&operator).json(&body).send().await.bad();
    let all = notes(&api, &operator).await;
    for field in ["args", "url"] {
        let noted = text(&all[0], field);
        assert_eq!(noted.chars().count(), 1024, "{field}");
        assert!(noted.ends_with('…'), "{field} has a mark");
    }
    Ok(())
}

async fn long_ids_and_addresses_fit(api: Api) -> Verdict {
    let own = api.own_server(|config| {
        config.httpq.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    });
    let own = own.await?;
    let api = own.api();
    let start = "a".repeat(50);
    for end in ["1", "2"] {
        let operator = api.operator_called(&format!("{start}{end}")).await;
        let call = api.post("/admin/censor/config").by(&operator).json(&json!({}));
        call.header("X-Forwarded-For", "2001:db8:1234:5678:9abc:def0:1234:5678").send().await.ok();
        let all = notes(&api, &operator).await;
        assert_eq!(all.len(), 1, "two long ids stay apart");
        let id = text(&all[0], "user_id");
        assert!(id.chars().count() <= 30 && id.starts_with("aaaaaaaaaaaaaaaaaaaa"), "{id}");
        assert_eq!(text(&all[0], "ip"), "2001:db8:1234:5678:9abc:def0:1234:5678");
    }
    own.stop().await;
    Ok(())
}

async fn the_log_is_read_by_administrators_alone(api: Api) -> Verdict {
    let operator = api.operator().await;
    api.get("/admin/operations").send().await.unauthorized();
    let long = "x".repeat(65);
    api.get(format!("/admin/operations?user_id={long}")).by(&operator).send().await.bad_in("user_id");
    api.get("/admin/operations?page_size=x").by(&operator).send().await.bad_in("page_size");
    Ok(())
}
