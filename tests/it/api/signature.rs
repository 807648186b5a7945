//! http-api.md §2 and signing.md §1: the signatures of business backends.

use chrono::{Duration, Utc};
use serde_json::json;

use super::world::unique;
use super::{Api, Verdict, cases};

cases![
    server_calls_want_a_signature,
    a_signature_covers_everything,
    a_signature_without_padding_is_accepted,
    a_signature_over_the_raw_path_is_accepted,
    a_signature_covers_qiniu_headers,
    a_body_that_is_not_covered_is_refused,
    any_covered_content_type_is_accepted,
    a_stale_date_is_refused,
    a_signature_is_verified_before_paths_are_normalised,
    a_decoded_path_with_a_question_mark_or_control_is_bad,
    a_required_date_is_required_and_not_repeated,
    unsigned_calls_come_from_allowed_networks,
    unsigned_calls_from_elsewhere_are_refused,
];

const TOKEN: &str = "/server/auth/token?app_id=suite&user_id=";

async fn server_calls_want_a_signature(api: Api) -> Verdict {
    let user = api.user().await;
    let target = format!("/server/user/info/{}", user.id);
    let good = api.get(&target).signature(false);
    let (_, sign) = good.split_once(':').expect("ak:sign");
    api.get(&target).authorization(&good).send().await.ok();
    let ak = &api.target.access_key;
    let bad = [
        format!("Qiniu {ak}x:{sign}"),
        format!("Qiniu :{sign}"),
        format!("Qiniu {ak}:"),
        format!("Qiniu {ak}"),
        format!("Qiniu {sign}"),
        format!("QBox {ak}:{sign}"),
        format!("qiniu {ak}:{sign}"),
        format!("{ak}:{sign}"),
        format!("Qiniu {ak}:{}", "A".repeat(27) + "="),
        format!("Qiniu {ak}:{sign}="),
        format!("Qiniu {ak}:{sign}AAAA"),
        "Qiniu".to_owned(),
        user.token.clone(),
        format!("Bearer {}", user.token),
    ];
    for authorization in bad {
        api.get(&target).authorization(authorization).send().await.unauthorized();
    }
    api.get(&target).send().await.unauthorized();
    Ok(())
}

async fn a_signature_covers_everything(api: Api) -> Verdict {
    let id = unique("u");
    let body = json!({"user_id": id, "nick": "signed"});
    let signature = api.post("/server/user/register").json(&body).signature(false);
    let (method, room) = ("DELETE", "/server/live/1");
    let of_get = api.get(room).signature(false);
    api.call(method, room).authorization(of_get).send().await.unauthorized();
    let altered = [
        api.post("/server/user/register/batch").json(&body),
        api.post("/server/user/register?x=1").json(&body),
        api.post("/server/user/register").json(&json!({"user_id": id, "nick": "forged"})),
        api.post("/server/user/register").body("text/plain", body.to_string()),
        api.post("/server/user/register"),
    ];
    for call in altered {
        call.authorization(&signature).send().await.unauthorized();
    }
    let head = format!(
        "POST /server/user/register HTTP/1.1\nHost: other.example\nAuthorization: {signature}\nContent-Type: application/json\nContent-Length: {}",
        body.to_string().len()
    );
    if api.backend.is_some() {
        api.raw_one(&head, body.to_string().as_bytes()).await.unauthorized();
    }
    api.post("/server/user/register").json(&body).authorization(&signature).send().await.done();
    Ok(())
}

async fn a_signature_without_padding_is_accepted(api: Api) -> Verdict {
    let user = api.user().await;
    let target = format!("/server/user/info/{}", user.id);
    let stripped = api.get(&target).signature(false).trim_end_matches('=').to_owned();
    api.get(&target).authorization(stripped).send().await.ok();
    Ok(())
}

async fn a_signature_over_the_raw_path_is_accepted(api: Api) -> Verdict {
    let user = api.user_called(&format!("\u{674e} {}", unique("u"))).await;
    let target = format!("/server/user/info/{}", super::client::escape(&user.id));
    assert_eq!(api.get(&target).server().send().await.ok()["user_id"], user.id);
    assert_eq!(api.get(&target).server_over_raw_path().send().await.ok()["user_id"], user.id);
    Ok(())
}

async fn a_signature_covers_qiniu_headers(api: Api) -> Verdict {
    let user = api.user().await;
    let target = format!("/server/user/info/{}", user.id);
    let call = api.get(&target).header("x-qiniu-zebra", "z").header("X-QINIU-apple", "a b");
    call.clone().server().send().await.ok();
    let without = api.get(&target).signature(false);
    call.authorization(&without).send().await.unauthorized();
    api.get(&target).header("X-Qiniu-", "ignored").authorization(&without).send().await.ok();
    api.get(&target).header("X-Other", "ignored").authorization(&without).send().await.ok();
    Ok(())
}

async fn a_body_that_is_not_covered_is_refused(api: Api) -> Verdict {
    for content_type in ["", "application/octet-stream"] {
        let body = json!({"user_id": unique("u")}).to_string();
        let call = api.post("/server/user/register").body(content_type, body);
        call.server().send().await.unauthorized();
    }
    let user = api.user().await;
    let get = api.get(format!("/server/user/info/{}", user.id)).body("", "[]");
    get.server().send().await.unauthorized();
    Ok(())
}

async fn any_covered_content_type_is_accepted(api: Api) -> Verdict {
    for content_type in
        ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "x"]
    {
        let body = json!({"user_id": unique("u")}).to_string();
        api.post("/server/user/register").body(content_type, body).server().send().await.done();
    }
    Ok(())
}

async fn a_stale_date_is_refused(api: Api) -> Verdict {
    let user = api.user().await;
    let dated = |minutes: i64| {
        let date = (Utc::now() + Duration::minutes(minutes)).format("%Y%m%dT%H%M%SZ").to_string();
        api.get(format!("/server/user/info/{}", user.id)).header("X-Qiniu-Date", date).server()
    };
    for minutes in [0, -14, 14] {
        dated(minutes).send().await.ok();
    }
    for minutes in [-16, 16, -60 * 24 * 365] {
        dated(minutes).send().await.unauthorized();
    }
    for nonsense in ["yesterday", "2026-11-21T00:00:00Z", "0"] {
        let call = api.get(format!("/server/user/info/{}", user.id)).header("X-Qiniu-Date", nonsense);
        call.server().send().await.unauthorized();
    }
    Ok(())
}

async fn a_signature_is_verified_before_paths_are_normalised(api: Api) -> Verdict {
    let user = api.user().await;
    let plain = format!("/server/user/info/{}", user.id);
    for odd in [format!("/server//user/info/{}", user.id), format!("/server/user/info/{}/", user.id)] {
        api.get(&odd).server().send().await.ok();
        let signature = api.get(&plain).signature(false);
        api.get(&odd).authorization(signature).send().await.unauthorized();
    }
    Ok(())
}

async fn a_decoded_path_with_a_question_mark_or_control_is_bad(api: Api) -> Verdict {
    for path in
        ["/server/user/info/a%3Fb", "/server/user/info/a%0Ab", "/server/user/info/a%00", "/server/live/%7F"]
    {
        api.get(path).server().send().await.refused(400, 400);
    }
    Ok(())
}

async fn a_required_date_is_required_and_not_repeated(api: Api) -> Verdict {
    let strict = api.own_server(|config| config.auth.server.require_date = true).await?;
    let target = format!("{TOKEN}{}", unique("u"));
    strict.api().get(&target).server().send().await.unauthorized();
    let date = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let dated = strict.api().get(&target).header("X-Qiniu-Date", date).server();
    dated.clone().send().await.ok();
    dated.send().await.unauthorized();
    strict.stop().await;
    Ok(())
}

async fn unsigned_calls_come_from_allowed_networks(api: Api) -> Verdict {
    let open = api.own_server(|config| config.auth.server.enable = false).await?;
    let id = unique("u");
    let answer = open.api().get(format!("{TOKEN}{id}")).send().await;
    answer.ok();
    open.api()
        .post("/server/user/register")
        .body("", json!({"user_id": unique("u")}).to_string())
        .send()
        .await
        .done();
    open.api().get(format!("/server/auth/admin/token?app_id=suite&user_id={id}")).send().await.unauthorized();
    open.api().get(format!("/server/auth/admin/token?app_id=suite&user_id={id}")).server().send().await.ok();
    open.stop().await;
    Ok(())
}

async fn unsigned_calls_from_elsewhere_are_refused(api: Api) -> Verdict {
    let closed = api
        .own_server(|config| {
            config.auth.server.enable = false;
            config.auth.server.allow = vec!["10.1.2.0/24".parse().expect("a network")];
        })
        .await?;
    let target = format!("{TOKEN}{}", unique("u"));
    closed.api().get(&target).send().await.unauthorized();
    closed.api().get(&target).header("X-Forwarded-For", "10.1.2.3").send().await.unauthorized();
    closed.stop().await;
    Ok(())
}
