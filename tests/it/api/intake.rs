//! What is read of a request, when, and how much: bodies wait until their sender is known.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::world::{User, eventually, unique};
use super::{Api, NotApplicable, Verdict, cases};

cases![
    a_head_is_answered_before_its_body_where_the_sender_is_unknown,
    json_of_strangers_is_not_parsed,
    limits_come_before_json,
    bodies_have_the_limit_of_their_route,
    one_user_has_a_share_of_the_memory_for_bodies,
    a_body_that_stalls_gives_way_where_there_is_little_room,
    who_knows_a_public_key_shuts_out_neither_backends_nor_log_ins,
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

/// More than half of a batch, so that the server holds room for all of it.
const BEGUN: usize = BATCH / 2 + 1;

/// Sends the beginning of a batch from an address of this machine, and holds the rest back; the end of the answer.
async fn begin_a_batch(api: &Api, from: Ipv4Addr, path: &str, authorization: &str) -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address of this machine");
    let host = api.target.host().parse().expect("an address");
    let mut stream = socket.connect(host).await.expect("a connection");
    let head = head(api, path, Some(authorization), BATCH).replace('\n', "\r\n");
    // Whoever is refused need not be read to the end.
    let _ = stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await;
    let _ = stream.write_all(&vec![b' '; BEGUN]).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Of calls that run, the first answer that says `part`.
async fn first_that_says<F: Future<Output = String>>(calls: &mut FuturesUnordered<F>, part: &str) -> String {
    loop {
        let answer = calls.next().await.unwrap_or_else(|| panic!("nobody was told {part:?}"));
        if answer.contains(part) {
            return answer;
        }
    }
}

async fn one_user_has_a_share_of_the_memory_for_bodies(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.bodies_mib = 64).await?;
    let own_api = own.api();
    let (attacker, other) = (own_api.user().await, own_api.user().await);
    let metrics = own_api.target.metrics_url.clone().expect("metrics");
    let path = "/client/stats/singleLive";
    let begin = |_| begin_a_batch(&own_api, Ipv4Addr::LOCALHOST, path, &attacker.token);
    let mut held: FuturesUnordered<_> = (0..64).map(begin).collect();
    let refused = first_that_says(&mut held, "bodies of yours").await;
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("retry-after: 1"), "{refused}");
    let report = json!({"data": [{"live_id": "1", "type": 1, "count": 1}]});
    let others = async {
        for _ in 0..3 {
            let batch = own_api.post(path).by(&other).body("application/json", padded(&report, BATCH));
            batch.send().await.done();
            own_api.post(CREATE).by(&other).json(&json!({"title": "t"})).send().await.ok();
        }
        let text = reqwest::get(&metrics).await.expect("metrics").text().await.expect("text");
        let taken = text.lines().find_map(|line| line.strip_prefix("liveloom_http_body_bytes "));
        let taken: usize = taken.expect("the metric").parse().expect("a number");
        // The first 4 KiB of each body count for nobody.
        assert!(taken <= 4 * BATCH + 64 * (4 << 10), "{taken} bytes of one user");
    };
    // Those who are held go on holding meanwhile.
    tokio::select! {
        () = others => {}
        () = async { while held.next().await.is_some() {} std::future::pending().await } => {}
    }
    drop(held);
    own.stop().await;
    Ok(())
}

async fn a_body_that_stalls_gives_way_where_there_is_little_room(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.bodies_mib = 4).await?;
    let own_api = own.api();
    let users = join_all((0..3).map(|_| own_api.user())).await;
    let path = "/client/stats/singleLive";
    let begin = |user| begin_a_batch(&own_api, Ipv4Addr::LOCALHOST, path, user);
    let mut held: FuturesUnordered<_> = users.iter().map(|user: &User| begin(&user.token)).collect();
    let told = first_that_says(&mut held, "little room").await;
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    drop(held);
    eventually("its bytes are free again", Duration::from_secs(10), || async {
        let room = own_api.post(CREATE).by(&users[0]).json(&json!({"title": "t"}));
        room.may_fail().send().await.status == 200
    })
    .await;
    own.stop().await;
    Ok(())
}

async fn who_knows_a_public_key_shuts_out_neither_backends_nor_log_ins(api: Api) -> Verdict {
    let own = api.own_server(|config| config.limits.bodies_mib = 4).await?;
    let own_api = own.api();
    let user = own_api.user().await;
    let named = format!("Qiniu {}:bm9uc2Vuc2U=", own_api.target.access_key);
    let path = "/server/user/register/batch";
    let begin = |last| begin_a_batch(&own_api, Ipv4Addr::new(127, 0, 1, last), path, &named);
    let mut held: FuturesUnordered<_> = (1..=32).map(begin).collect();
    let refused = first_that_says(&mut held, "request bodies are under way").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let others = async {
        for _ in 0..3 {
            let register = padded(&json!({"user_id": unique("u")}), SMALL);
            let backend = own_api.post("/server/user/register").server();
            backend.body("application/json", register).send().await.done();
            let log_in = padded(&json!({"user_name": "nobody", "password": "none"}), SMALL / 2);
            let answer =
                own_api.post("/manager/login").body("application/json", log_in).may_fail().send().await;
            assert!([400, 403].contains(&answer.status), "{answer:?}");
            own_api.post(CREATE).by(&user).json(&json!({"title": "t"})).send().await.ok();
        }
    };
    tokio::select! {
        () = others => {}
        () = async { while held.next().await.is_some() {} std::future::pending().await } => {}
    }
    drop(held);
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
