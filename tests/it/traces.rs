//! Traces: what an OpenTelemetry collector is sent.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::support::callback_receiver::{PLAIN_SECRET, Receiver, SECRET};
use crate::support::fake::Mood;
use crate::support::fake_collector::{Collector, Span};
use crate::support::fake_payment::FakePayment;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};
use crate::support::wait::{wait_for, wait_until};

const SOON: Duration = Duration::from_secs(30);
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const CONSUMER: i32 = 5;

fn callback(receiver: &Receiver) -> String {
    format!("callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}", receiver.addr())
}

/// Creates a room as part of a caller's trace.
async fn create_room(server: &ServerProcess, is_sampled: bool) -> String {
    let anchor = server.client_of("anchor").await.with_header("X-Reqid", "made-by-me");
    let parent = format!("00-{TRACE}-{CALLER}-0{}", u8::from(is_sampled));
    let anchor = anchor.with_header("traceparent", &parent);
    let room = anchor.post("/client/live/room/instance", json!({"title": "the title"})).await.data();
    room["live_id"].as_str().unwrap().to_owned()
}

/// The span of that name, once the collector has it.
async fn span(collector: &Collector, name: &str) -> Span {
    wait_for(name, SOON, async || collector.spans().into_iter().find(|span| span.name == name)).await
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_caller_through_statements_to_the_callback(#[case] backend: Backend) {
    let (collector, receiver) = (Collector::start().await, Receiver::start().await);
    let setup = Setup::new(backend).await.with(&collector.yaml()).with(&callback(&receiver));
    let server = setup.start().await;
    let live_id = create_room(&server, true).await;

    let request = span(&collector, "POST /client/live/room/instance").await;
    assert_eq!((&*request.trace_id, &*request.parent, request.kind), (TRACE, CALLER, SERVER));
    let facts = ["http.route", "http.request.method", "http.response.status_code", "liveloom.request_id"];
    let told = facts.map(|fact| request.attributes[fact].as_str());
    assert_eq!(told, ["/client/live/room/instance", "POST", "200", "made-by-me"]);
    assert_eq!((request.resource["service.name"].as_str(), request.is_error), ("of-the-tests", false));

    let delivery = span(&collector, "callback live_created").await;
    let event = (&*delivery.trace_id, &*delivery.parent, delivery.kind);
    assert_eq!(event, (TRACE, &*request.id, CONSUMER), "it goes on with the trace of the request");
    let post = span(&collector, "callback").await;
    assert_eq!((&*post.trace_id, &*post.parent, post.kind), (TRACE, &*delivery.id, CLIENT));
    let sent = &receiver.calls_of(&live_id)[0].headers["traceparent"];
    assert_eq!(*sent, format!("00-{TRACE}-{}-01", post.id));

    let statements: Vec<Span> = collector.trace(TRACE);
    let of_request = statements.iter().filter(|span| span.parent == request.id && span.kind == CLIENT);
    let texts: Vec<&str> =
        of_request.filter_map(|span| Some(span.attributes.get("db.query.text")?.as_str())).collect();
    assert!(texts.iter().any(|text| text.contains("live_entities")), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("the title")), "{texts:?}");
    if backend == Backend::Redis {
        assert!(collector.spans().iter().any(|span| span.name == "redis" && span.kind == CLIENT));
    }
    let of_a_job = |span: &Span| span.kind == INTERNAL;
    let job = wait_for("a job", SOON, async || collector.spans().into_iter().find(of_a_job)).await;
    assert!(job.parent.is_empty() && job.trace_id != TRACE, "a run of a job is a trace of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payment_of_a_gift_is_part_of_its_request() {
    let (collector, payment) = (Collector::start().await, FakePayment::start().await);
    let setup = Setup::new(Backend::Embedded).await.with(&collector.yaml()).with(&payment.yaml());
    let server = setup.start().await;
    let live_id = server.client_of("anchor").await.go_live("t").await["live_id"].as_str().unwrap().to_owned();
    let any = json!({"gift_id": 7, "name": "any", "amount": 0});
    assert_eq!(server.client().post("/server/gift/config", any).await.status, 200);
    let guest = server.client_of("guest").await;
    guest.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    guest.post("/client/gift/send", json!({"live_id": live_id, "gift_id": 7, "amount": 5})).await.data();
    let request = span(&collector, "POST /client/gift/send").await;
    let asked = span(&collector, "payment").await;
    assert_eq!((&asked.trace_id, &asked.parent), (&request.trace_id, &request.id));
    assert_eq!(asked.attributes["http.response.status_code"], "200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_caller_does_not_keep_is_not_kept_here() {
    let (collector, receiver) = (Collector::start().await, Receiver::start().await);
    let setup = Setup::new(Backend::Embedded).await.with(&collector.yaml()).with(&callback(&receiver));
    let server = setup.start().await;
    let live_id = create_room(&server, false).await;
    wait_until("it is told", SOON, async || receiver.taken(&live_id) == [1]).await;
    let sent = &receiver.calls_of(&live_id)[0].headers["traceparent"];
    assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"), "{sent}");
    span(&collector, "GET /readyz").await;
    assert!(collector.trace(TRACE).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_nobody_hears_of_traces() {
    let receiver = Receiver::start().await;
    let server = Setup::new(Backend::Embedded).await.with(&callback(&receiver)).start().await;
    let live_id = create_room(&server, true).await;
    wait_until("it is told", SOON, async || receiver.taken(&live_id) == [1]).await;
    assert!(!receiver.calls_of(&live_id)[0].headers.contains_key("traceparent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_spans_are_sent_at_the_end_of_the_process() {
    let collector = Collector::start().await;
    let mut server = Setup::new(Backend::Embedded).await.with(&collector.yaml()).start().await;
    create_room(&server, true).await;
    assert!(server.terminate(Duration::from_secs(20)).await.success());
    assert!(collector.trace(TRACE).iter().any(|span| span.name == "POST /client/live/room/instance"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_or_hangs_holds_nobody_up() {
    let yaml = format!("traces: {{endpoint: 'http://127.0.0.1:{}'}}", free_port());
    let server = Setup::new(Backend::Embedded).await.with(&yaml).start().await;
    create_room(&server, true).await;
    wait_until("it is told of", SOON, async || server.log().contains("spans cannot be sent")).await;
    create_room(&server, true).await;

    let collector = Collector::start().await;
    collector.set_mood(Mood::Slow(Duration::from_secs(600)));
    let mut server = Setup::new(Backend::Embedded).await.with(&collector.yaml()).start().await;
    for _ in 0..3 {
        create_room(&server, true).await;
    }
    wait_until("it has spans", SOON, async || !collector.spans().is_empty()).await;
    create_room(&server, true).await;
    assert!(server.terminate(Duration::from_secs(30)).await.success());
}

/// A server whose callers are strangers, and which keeps such a part of all traces.
async fn among_strangers(collector: &Collector, receiver: &Receiver, ratio: u8) -> ServerProcess {
    let setup = Setup::new(Backend::Embedded).await.with(&collector.yaml()).with(&callback(receiver));
    let own = format!("service_name: of-the-tests, sample_ratio: {ratio}, allow: []");
    setup.replacing("service_name: of-the-tests", &own).start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_decides_neither_that_a_trace_is_kept_nor_that_it_is_not() {
    let (collector, receiver) = (Collector::start().await, Receiver::start().await);
    let server = among_strangers(&collector, &receiver, 0).await;
    let live_id = create_room(&server, true).await;
    wait_until("it is told", SOON, async || receiver.taken(&live_id) == [1]).await;
    let sent = &receiver.calls_of(&live_id)[0].headers["traceparent"];
    assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"), "{sent}");
    assert!(collector.trace(TRACE).is_empty(), "nothing is kept here");

    let (collector, receiver) = (Collector::start().await, Receiver::start().await);
    let server = among_strangers(&collector, &receiver, 1).await;
    create_room(&server, false).await;
    let request = span(&collector, "POST /client/live/room/instance").await;
    assert_eq!(
        (&*request.trace_id, &*request.parent),
        (TRACE, CALLER),
        "all are kept, as part of the caller's"
    );
}
