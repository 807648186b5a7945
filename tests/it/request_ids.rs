//! A request can be followed by its id: in the log, in its statements, in what its events cause.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::callback_receiver::{PLAIN_SECRET, Receiver, SECRET};
use crate::support::fake_payment::FakePayment;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::{wait_for, wait_until};

const SOON: Duration = Duration::from_secs(30);
const FILTER: &str = "info,liveloom=debug,migrations=warn,sea_orm_migration=warn";

/// All lines of the log, each of which must be an object. Warnings of the configuration come before it.
fn lines(server: &ServerProcess) -> Vec<Value> {
    let log = server.log();
    let whole = &log[..=log.rfind('\n').unwrap_or_default()];
    let logged = whole.lines().skip_while(|line| line.starts_with("warning: "));
    logged.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// The lines of a target that carry an id.
fn of(server: &ServerProcess, target: &str, id: &str) -> Vec<Value> {
    let mut lines = lines(server);
    lines.retain(|line| line["request_id"] == id && line["target"].as_str().unwrap().starts_with(target));
    lines
}

async fn server(backend: Backend, settings: &str) -> ServerProcess {
    let setup = Setup::new(backend).await.with(&format!("log: {{json: true, filter: '{FILTER}'}}"));
    setup.with(settings).start().await
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_in_the_lines_statements_callbacks_and_messages_of_its_request(#[case] backend: Backend) {
    let receiver = Receiver::start().await;
    let callback =
        format!("callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}", receiver.addr());
    let server = server(backend, &callback).await;
    let anchor = server.client_of("anchor").await;
    let room = anchor.clone().with_header("X-Reqid", "made-by-me");
    let room = room.post("/client/live/room/instance", json!({"title": "the title"})).await.data();
    let live_id = room["live_id"].as_str().unwrap();
    let path = format!("/client/live/room/{live_id}");
    // Callers choose their ids: what would break a line of JSON, too.
    let started = "started\"by\\me}";
    anchor.clone().with_header("X-Reqid", started).put(&path, json!({})).await.data();

    wait_until("callbacks are taken", SOON, async || receiver.taken(live_id) == [1, 2]).await;
    let ids: Vec<String> =
        receiver.calls_of(live_id).iter().map(|call| call.headers["x-reqid"].clone()).collect();
    assert_eq!(ids, ["made-by-me", started]);
    wait_until("the room is told", SOON, async || !of(&server, "liveloom::im", started).is_empty()).await;

    let access = of(&server, "access", "made-by-me");
    assert_eq!(access.len(), 1, "{access:?}");
    assert_eq!(
        (&access[0]["path"], &access[0]["status"]),
        (&json!("/client/live/room/instance"), &json!(200))
    );
    let statements = of(&server, "liveloom::sql", "made-by-me");
    let texts: Vec<&str> = statements.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("live_entities")), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("the title")), "{texts:?}");
    assert!(statements.iter().all(|line| line["duration_us"].is_u64() && line["result"] == "ok"));
    assert!(statements.iter().all(|line| line["database"].as_str().is_some_and(|name| !name.is_empty())));
    let told = of(&server, "liveloom::im", started);
    assert_eq!((told.len(), &told[0]["action"]), (1, &json!("live_started")));
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_in_a_task_of_its_own_keeps_the_id(#[case] backend: Backend) {
    let payment = FakePayment::start().await;
    let server = server(backend, &payment.yaml()).await;
    let room = server.client_of("anchor").await.go_live("t").await;
    let any = json!({"gift_id": 7, "name": "any", "amount": 0});
    assert_eq!(server.client().post("/server/gift/config", any).await.status, 200);
    let guest = server.client_of("guest").await;
    guest
        .post(&format!("/client/live/room/user/{}", room["live_id"].as_str().unwrap()), json!({}))
        .await
        .data();
    let gift = json!({"live_id": room["live_id"], "gift_id": 7, "amount": 5});
    guest.with_header("X-Reqid", "a-gift").post("/client/gift/send", gift).await.data();
    wait_until("the row, and its outcome", SOON, async || {
        let statements = of(&server, "liveloom::sql", "a-gift");
        statements.iter().filter(|line| line["text"].as_str().unwrap().contains("live_gift")).count() >= 2
    })
    .await;
    assert_eq!(payment.request_ids(), ["a-gift"]);
    wait_until("the room is told", SOON, async || {
        of(&server, "liveloom::im", "a-gift").iter().any(|line| line["action"] == "gift_notify")
    })
    .await;
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_jobs_and_consumers_have_an_id_and_slow_ones_are_warned_of(#[case] backend: Backend) {
    let settings = format!("log: {{json: true, filter: '{FILTER}', slow_statement_ms: 1}}");
    let server = Setup::new(backend).await.with(&settings).start().await;
    server.client_of("anchor").await.go_live("t").await;
    wait_for("a job has worked", SOON, async || {
        let is_of_a_job = |line: &Value| {
            line["request_id"].is_string()
                && line["text"].as_str().is_some_and(|text| text.contains("leader_lease"))
        };
        lines(&server).iter().any(is_of_a_job).then_some(())
    })
    .await;
    let slow = lines(&server).into_iter().find(|line| line["message"] == "slow statement").unwrap();
    assert_eq!((&slow["level"], &slow["target"]), (&json!("WARN"), &json!("liveloom::sql")));
    assert!(slow["duration_us"].as_u64().unwrap() >= 1000, "{slow}");
}
