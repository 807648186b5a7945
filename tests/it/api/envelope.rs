//! http-api.md §1: the envelope, the error table and request ids.

use serde_json::json;

use super::world::unique;
use super::{Api, NotApplicable, Verdict, cases};

cases![
    success_has_no_data_when_there_is_none,
    unknown_paths_are_404,
    unknown_paths_below_every_prefix_are_404,
    a_method_that_a_route_has_not_is_405,
    an_error_has_no_data,
    a_chunked_body_over_the_limit_is_413,
    open_routes_are_rate_limited,
    a_request_id_is_echoed,
    a_request_id_of_64_characters_is_echoed,
    a_bad_request_id_is_replaced,
    a_request_id_is_generated,
    every_kind_of_error_carries_the_request_id,
    http_1_0_is_answered,
    pipelined_requests_are_answered_in_order,
    a_path_that_is_no_utf8_is_answered_by_an_envelope,
    a_broken_escape_in_a_path_is_answered_by_an_envelope,
    an_odd_host_is_answered_by_an_envelope,
];

/// Bytes of a body that is no batch.
const LIMIT: usize = 64 * 1024;

async fn success_has_no_data_when_there_is_none(api: Api) -> Verdict {
    let answer = api.get("/status").send().await;
    answer.done();
    answer.says("success");
    Ok(())
}

async fn unknown_paths_are_404(api: Api) -> Verdict {
    for path in ["/assets", "/nope", "/favicon.ico", "/status/more", "/clientele", "/live"] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            api.call(method, path).send().await.not_found();
        }
    }
    Ok(())
}

async fn unknown_paths_below_every_prefix_are_404(api: Api) -> Verdict {
    let user = api.user().await;
    for path in ["/client/nope", "/client/live/room/info/a/b", "/client/user/user/a/b"] {
        api.get(path).by(&user).send().await.not_found();
        api.get(path).send().await.not_found();
    }
    for path in ["/server/nope", "/server/user/info/a/b", "/server/live/a/b"] {
        api.get(path).server().send().await.not_found();
        api.get(path).send().await.not_found();
    }
    Ok(())
}

async fn a_method_that_a_route_has_not_is_405(api: Api) -> Verdict {
    let user = api.user().await;
    for (method, path) in [("DELETE", "/client/user/profile"), ("PATCH", "/client/live/room/list")] {
        api.call(method, path).by(&user).send().await.refused(405, 405);
    }
    for (method, path) in [("DELETE", "/server/user/register"), ("PUT", "/server/auth/token")] {
        api.call(method, path).server().send().await.refused(405, 405);
    }
    for (method, path) in [("DELETE", "/manager/login"), ("DELETE", "/hooks/publish"), ("DELETE", "/healthz")]
    {
        api.call(method, path).send().await.refused(405, 405);
    }
    Ok(())
}

async fn an_error_has_no_data(api: Api) -> Verdict {
    let answer = api.get("/nope").send().await;
    assert!(answer.json.as_ref().is_some_and(|json| json.get("data").is_none()), "{answer:?}");
    Ok(())
}

async fn a_chunked_body_over_the_limit_is_413(api: Api) -> Verdict {
    let user = api.user().await;
    let large = padded_room(LIMIT + 1);
    let head = format!(
        "POST /client/live/room/instance HTTP/1.1\nHost: {}\nTransfer-Encoding: chunked\nAuthorization: {}",
        api.target.host(),
        user.token
    );
    let mut body = Vec::new();
    for chunk in large.as_bytes().chunks(16 * 1024) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let answer = api.raw_one(&head, &body).await;
    answer.assert_envelope();
    answer.refused(413, 413);
    Ok(())
}

/// A room's JSON of exactly `length` bytes, most of it in a field that nobody knows.
fn padded_room(length: usize) -> String {
    let frame = json!({"title": "padded", "padding": ""}).to_string();
    let padding = "x".repeat(length - frame.len());
    json!({"title": "padded", "padding": padding}).to_string()
}

async fn open_routes_are_rate_limited(api: Api) -> Verdict {
    let strict =
        api.own_server(|config| (config.limits.open_per_s, config.limits.login_per_s) = (2, 2)).await?;
    let login = json!({"user_name": "a", "password": "b"});
    for path in ["/manager/gift/test", "/manager/login", "/manager/session"] {
        let calls = (0..50).map(|_| strict.api().post(path).json(&login).once().send());
        let answers = futures_util::future::join_all(calls).await;
        let limited = answers.iter().find(|answer| answer.status == 429);
        let limited =
            limited.unwrap_or_else(|| panic!("50 calls of {path} within a moment were all answered"));
        limited.assert_envelope();
        limited.refused(429, 429);
        let wait: u64 = limited.header("retry-after").parse().expect("Retry-After in seconds");
        assert!((1..=60).contains(&wait), "{limited:?} says {wait}");
    }
    // Whoever asks whether the server is well is never held back.
    for path in ["/status", "/healthz", "/readyz", "/api/ping"] {
        let calls = (0..50).map(|_| strict.api().get(path).document().once().send());
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{path}: {answers:?}");
    }
    strict.stop().await;
    Ok(())
}

async fn a_request_id_is_echoed(api: Api) -> Verdict {
    for id in ["abc-123", "0", "~!@#$%^&*()_+{}|:<>?[];',./`", "\"quoted\\\""] {
        let answer = api.get("/status").header("X-Reqid", id).send().await;
        assert_eq!(answer.request_id(), id, "{answer:?}");
    }
    Ok(())
}

async fn a_request_id_of_64_characters_is_echoed(api: Api) -> Verdict {
    let id = "r".repeat(64);
    assert_eq!(api.get("/status").header("X-Reqid", &id).send().await.request_id(), id);
    Ok(())
}

async fn a_bad_request_id_is_replaced(api: Api) -> Verdict {
    for id in ["r".repeat(65), "two words".to_owned(), "\u{e9}t\u{e9}".to_owned(), "tab\there".to_owned()] {
        let answer = api.get("/status").header("X-Reqid", &id).send().await;
        assert_ne!(answer.request_id(), id, "{answer:?}");
        assert_generated(answer.request_id());
    }
    Ok(())
}

async fn a_request_id_is_generated(api: Api) -> Verdict {
    let first = api.get("/status").send().await;
    let second = api.get("/status").header("X-Reqid", "").send().await;
    assert_generated(first.request_id());
    assert_generated(second.request_id());
    assert_ne!(first.request_id(), second.request_id());
    Ok(())
}

fn assert_generated(id: &str) {
    let visible = id.chars().all(|letter| letter.is_ascii_graphic());
    assert!(visible && (1..=64).contains(&id.len()), "no request id: {id:?}");
}

async fn every_kind_of_error_carries_the_request_id(api: Api) -> Verdict {
    let user = api.user().await;
    let calls = [
        (404, api.get("/nope")),
        (404, api.get("/client/live/room/info/nope").by(&user)),
        (405, api.delete("/client/user/profile").by(&user)),
        (401, api.get("/client/user/profile")),
        (401, api.get("/server/auth/token?app_id=a&user_id=b")),
        (400, api.post("/client/live/room/instance").by(&user).body("application/json", "{")),
        (400, api.get("/client/live/room/list?page_num=x").by(&user)),
    ];
    for (status, call) in calls {
        let id = unique("id");
        let answer = call.header("X-Reqid", &id).send().await;
        assert_eq!((answer.status, answer.request_id()), (status, id.as_str()), "{answer:?}");
    }
    Ok(())
}

async fn http_1_0_is_answered(api: Api) -> Verdict {
    let answer = api.raw_one("GET /status HTTP/1.0", b"").await;
    answer.assert_envelope();
    answer.done();
    Ok(())
}

async fn pipelined_requests_are_answered_in_order(api: Api) -> Verdict {
    let host = api.target.host();
    let one = |path: &str, id: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Reqid: {id}\r\n\r\n");
    let text = [one("/nope", "one"), one("/status", "two"), one("/nope/again", "three")].concat();
    let answers = api.raw(text.as_bytes(), 3).await;
    let order: Vec<_> = answers.iter().map(|answer| (answer.status, answer.request_id())).collect();
    assert_eq!(order, [(404, "one"), (200, "two"), (404, "three")]);
    Ok(())
}

async fn a_path_that_is_no_utf8_is_answered_by_an_envelope(api: Api) -> Verdict {
    let user = api.user().await;
    for path in ["/client/live/room/info/%FF%FE", "/client/user/user/%C3%28", "/client/%ED%A0%80"] {
        let answer = api.get(path).by(&user).send().await;
        assert!([400, 404].contains(&answer.status), "{answer:?}");
    }
    let answer = api.get("/server/user/info/%FF").server().send().await;
    assert!([400, 404].contains(&answer.status), "{answer:?}");
    Ok(())
}

async fn a_broken_escape_in_a_path_is_answered_by_an_envelope(api: Api) -> Verdict {
    let user = api.user().await;
    for path in ["/client/live/room/info/%", "/client/live/room/info/%zz", "/client/user/user/50%"] {
        let head = format!("GET {path} HTTP/1.1\nHost: {}\nAuthorization: {}", api.target.host(), user.token);
        let answer = api.raw_one(&head, b"").await;
        answer.assert_envelope();
        assert!([400, 404].contains(&answer.status), "{answer:?}");
    }
    Ok(())
}

async fn an_odd_host_is_answered_by_an_envelope(api: Api) -> Verdict {
    if api.backend.is_none() {
        return Err(NotApplicable("what stands before a deployed server may refuse a foreign Host itself"));
    }
    for host in ["", "a b", "[::", "example.com:notaport", "ex\u{e4}mple"] {
        let answer = api.raw_one(&format!("GET /status HTTP/1.1\nHost: {host}"), b"").await;
        answer.assert_envelope();
        assert!([200, 400].contains(&answer.status), "{answer:?}");
    }
    Ok(())
}
