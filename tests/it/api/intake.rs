//! What is read of a request, when, and how much: bodies wait until their sender is known.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::world::{User, eventually, unique};
use super::{Api, NotApplicable, Verdict, cases};

cases![
    a_head_is_answered_before_its_body_where_the_sender_is_unknown,
    json_of_strangers_is_not_parsed,
    limits_come_before_json,
    bodies_have_the_limit_of_their_route,
    all_bodies_together_are_bounded,
    half_characters_and_byte_order_marks_are_taken,
    the_parser_says_what_is_wrong,
    requests_that_two_servers_read_differently_are_refused,
    a_slow_body_holds_up_nobody,
];

const CREATE: &str = "/client/live/room/instance";
const SMALL: usize = 64 << 10;
const BATCH: usize = 1 << 20;

/// A JSON object of exactly `length` bytes with the fields of `body`, most of it in one that nobody knows.
fn padded(body: &Value, length: usize) -> String {
    let mut body = body.clone();
    body["padding"] = json!("");
    let frame = body.to_string().len();
    body["padding"] = json!("x".repeat(length - frame));
    body.to_string()
}

/// The first lines of a POST whose body has `length` bytes, as a user or as nobody.
fn head(api: &Api, path: &str, authorization: Option<&str>, length: usize) -> String {
    let authorization = authorization.map_or(String::new(), |token| format!("\nAuthorization: {token}"));
    format!("POST {path} HTTP/1.1\nHost: {}\nContent-Length: {length}{authorization}", api.target.host())
}

async fn a_head_is_answered_before_its_body_where_the_sender_is_unknown(api: Api) -> Verdict {
    if api.backend.is_none() {
        return Err(NotApplicable("speaks to the server without what stands before it"));
    }
    let user = api.user().await;
    let strangers = [
        (CREATE, None, 401),
        (CREATE, Some("nonsense"), 401),
        ("/server/user/register/batch", Some("Qiniu nobody:abc"), 401),
        ("/server/user/register/batch", Some(user.token.as_str()), 401),
        ("/admin/users", None, 401),
        ("/v1/mesh/publish", None, 401),
        ("/mic/live", None, 401),
        ("/client/nope", Some(user.token.as_str()), 404),
        ("/nope", None, 404),
    ];
    let asked = strangers.iter().flat_map(|stranger| [(stranger, SMALL), (stranger, BATCH)]);
    join_all(asked.map(async |(&(path, authorization, status), length)| {
        // Nothing of the body is ever sent.
        let answer = api.raw_one(&head(&api, path, authorization, length), b"").await;
        assert_eq!(answer.status, status, "{path}, {length} bytes: {answer:?}");
        answer.assert_envelope();
        assert_eq!(answer.header("connection"), "close", "{path}: {answer:?}");
    }))
    .await;
    let done = api.raw_one(&head(&api, CREATE, None, 2), b"{}").await;
    done.unauthorized();
    assert_eq!(done.header("connection"), "", "a connection whose body has come goes on");
    Ok(())
}

async fn json_of_strangers_is_not_parsed(api: Api) -> Verdict {
    let document = api.document().await;
    let mut asked = 0;
    for operation in document.operations.iter().filter(|one| one.secured && one.body.is_some()) {
        let path = operation.path.replace(['{', '}'], "");
        let answer = api.call(&operation.method, &path).body("application/json", "{").send().await;
        assert_eq!(answer.status, 401, "{} {path}: {answer:?}", operation.method);
        asked += 1;
    }
    assert!(asked > 50, "only {asked} routes with bodies");
    Ok(())
}

async fn limits_come_before_json(api: Api) -> Verdict {
    let own = api
        .own_server(|config| {
            config.limits.login_per_s = 1;
            config.limits.open_per_s = 1;
            config.demo.enable = true;
        })
        .await?;
    for path in ["/manager/login", "/manager/session", "/demo/login", "/manager/gift/test"] {
        let broken = || own.api().post(path).body("application/json", "{").once().send();
        let mut limited = None;
        for _ in 0..20 {
            let answer = broken().await;
            if answer.status == 429 {
                limited = Some(answer);
                break;
            }
            answer.refused(400, 400);
        }
        let limited = limited.unwrap_or_else(|| panic!("{path}: 20 broken bodies were parsed in a row"));
        assert_ne!(limited.header("retry-after"), "", "{limited:?}");
    }
    own.stop().await;
    Ok(())
}

async fn bodies_have_the_limit_of_their_route(api: Api) -> Verdict {
    let user = api.user().await;
    let room = json!({"title": "padded"});
    let create = |length| api.post(CREATE).by(&user).body("application/json", padded(&room, length));
    assert_eq!(create(SMALL).send().await.ok()["title"], "padded");
    create(SMALL + 1).send().await.refused(413, 413);
    let report = json!({"data": [{"live_id": "1", "type": 1, "count": 1}]});
    let batch = |length| {
        api.post("/client/stats/singleLive").by(&user).body("application/json", padded(&report, length))
    };
    batch(BATCH).send().await.done();
    batch(BATCH + 1).send().await.refused(413, 413);
    let signed = |length| {
        let register = padded(&json!({"user_id": unique("u")}), length);
        api.post("/server/user/register").server().body("application/json", register)
    };
    signed(SMALL).server().send().await.done();
    signed(SMALL + 1).server().send().await.refused(413, 413);
    Ok(())
}

/// Sends the beginning of a batch and holds the rest back.
async fn begin_a_batch(api: &Api, user: &User) -> TcpStream {
    let mut stream = TcpStream::connect(api.target.host()).await.expect("a connection");
    let head = head(api, "/client/stats/singleLive", Some(&user.token), BATCH).replace('\n', "\r\n");
    stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await.expect("the head is sent");
    stream.write_all(&vec![b' '; BATCH - 1]).await.expect("most of the body is sent");
    stream
}

async fn all_bodies_together_are_bounded(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.bodies_mib = 1).await?;
    let own_api = own.api();
    let user = own_api.user().await;
    let held = begin_a_batch(&own_api, &user).await;
    let metrics = own_api.target.metrics_url.clone().expect("metrics");
    eventually("the batch takes it all", Duration::from_secs(20), || async {
        let text = reqwest::get(&metrics).await.expect("metrics").text().await.expect("text");
        text.contains(&format!("liveloom_http_body_bytes {BATCH}"))
    })
    .await;
    let room = || own_api.post(CREATE).by(&user).json(&json!({"title": "t"})).may_fail().send();
    let answer = room().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert!(answer.message().contains("bodies"), "{answer:?}");
    own_api.get("/client/user/profile").by(&user).send().await.ok();
    drop(held);
    eventually("its bytes are free again", Duration::from_secs(10), || async { room().await.status == 200 })
        .await;
    own.stop().await;
    Ok(())
}

async fn half_characters_and_byte_order_marks_are_taken(api: Api) -> Verdict {
    let user = api.user().await;
    let body = "\u{feff}{\"title\":\"hi \\ud83d\",\"extends\":{\"k\":\"\\ude00 \\ud83d\\ude00\"},\"unknown\":[1e999]}";
    let answer = api.post(CREATE).by(&user).body("application/json", body).send().await;
    let room = answer.ok();
    assert_eq!(
        (&room["title"], &room["extends"]["k"]),
        (&json!("hi \u{fffd}"), &json!("\u{fffd} \u{1f600}"))
    );
    let id = unique("u");
    let body = format!("\u{feff}{{\"user_id\":\"{id}\",\"nick\":\"\\ud83d\"}}");
    api.post("/server/user/register").server().body("application/json", body).send().await.done();
    assert_eq!(api.get(format!("/server/user/info/{id}")).server().send().await.ok()["nick"], "\u{fffd}");
    Ok(())
}

async fn the_parser_says_what_is_wrong(api: Api) -> Verdict {
    let user = api.user().await;
    let id = api.room(&user).await;
    let deep = format!("{{\"title\":\"t\",\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let wrong = [
        (CREATE, "POST", deep.as_str(), "body: is nested more than 128 deep"),
        (CREATE, "POST", "{\"title\":\"t\"", "body: not JSON: EOF while parsing an object"),
        (CREATE, "POST", "{\"title\":7}", "title: invalid type: integer `7`, expected a string"),
    ];
    for (path, method, body, reason) in wrong {
        let answer = api.call(method, path).by(&user).body("application/json", body).send().await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with(reason), "{answer:?}");
    }
    let like = format!("/client/live/room/{id}/like");
    let answer = api.put(like).by(&user).body("application/json", "{\"count\":1e999}").send().await;
    answer.refused(400, 400);
    assert_eq!(answer.message(), "count: number out of range");
    Ok(())
}

async fn requests_that_two_servers_read_differently_are_refused(api: Api) -> Verdict {
    if api.backend.is_none() {
        return Err(NotApplicable("speaks to the server without what stands before it"));
    }
    let smuggled = [
        "Content-Length: 4\nTransfer-Encoding: chunked",
        "Content-Length: 4\nContent-Length: 5",
        "Content-Length: +4",
        "Content-Length: 4, 4",
        "Content-Length: 0x4",
        "Content-Length: -1",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
    ];
    for lines in smuggled {
        let head = format!("POST /manager/login HTTP/1.1\nHost: {}\n{lines}", api.target.host());
        let answer = api.raw_one(&head, b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!([400, 501].contains(&answer.status), "{lines}: {answer:?}");
    }
    Ok(())
}

async fn a_slow_body_holds_up_nobody(api: Api) -> Verdict {
    let own = api.own_server(|config| config.httpq.workers = 1).await?;
    let own_api = own.api();
    let user = own_api.user().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(own_api.target.host()).await.expect("a connection");
        let head = head(&own_api, CREATE, Some(&user.token), SMALL).replace('\n', "\r\n");
        stream.write_all(format!("{head}\r\n\r\n{{").as_bytes()).await.expect("the beginning is sent");
        slow.push(stream);
    }
    own_api.room(&user).await;
    own_api.get("/client/user/profile").by(&user).send().await.ok();
    drop(slow);
    own.stop().await;
    Ok(())
}
