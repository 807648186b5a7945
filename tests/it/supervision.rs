//! Background tasks that fail: work that is done again goes on, and without any other task the node stops, to be
//! started again.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use sqlx::Executor;

use crate::support::callback_receiver::{PLAIN_SECRET, Receiver, SECRET};
use crate::support::metrics::{page, sum};
use crate::support::realtime::Socket;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};
use crate::support::wait::{wait_for, wait_until};

const SOON: Duration = Duration::from_secs(40);
/// How long a node drains that has failed.
const DRAIN_S: u64 = 3;

/// A server with an exporter.
struct Bed {
    server: ServerProcess,
    exporter: String,
}

impl Bed {
    async fn start(setup: Setup) -> Self {
        let exporter = format!("127.0.0.1:{}", free_port());
        let prome = format!(
            "prome: {{client_mode: exporter, exporter_config: {{listen_addr: '{exporter}'}}}}\n\
             realtime: {{drain_s: {DRAIN_S}}}"
        );
        Self { server: setup.with(&prome).start().await, exporter }
    }

    /// How often a task panicked; None before there is such a task.
    async fn panics(&self, task: &str) -> Option<f64> {
        let labels = [("task", task), ("how", "panicked")];
        sum(&page(&self.exporter).await, "liveloom_task_failures_total", &labels)
    }

    async fn wait_panicked(&self, task: &str) {
        wait_until(&format!("{task} panics"), SOON, async || self.panics(task).await == Some(1.0)).await;
    }

    async fn assert_well(&self) {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(self.server.client().get(path).await.status, 200, "{path}");
        }
    }

    /// Runs a statement past the server.
    async fn execute(&self, sql: &str) {
        let (database, sql) = (self.server.database(), sqlx::AssertSqlSafe(sql.to_owned()));
        if database.schema().is_empty() {
            database.sqlite().await.execute(sql).await.unwrap();
        } else {
            database.mysql().await.execute(sql).await.unwrap();
        }
    }

    async fn count(&self, sql: &str) -> String {
        let rows = crate::support::gift_ledgers::rows::<1>(self.server.database(), sql).await;
        rows.into_iter().next().map(|[count]| count).unwrap_or_default()
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_panics_runs_again_at_its_next_tick(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
) {
    let bed = Bed::start(Setup::new(backend).await.panicking_at("census.begun")).await;
    bed.wait_panicked("census").await;
    let runs = async |result: &str| {
        let labels = [("task", "census"), ("result", result)];
        sum(&page(&bed.exporter).await, "liveloom_job_seconds_count", &labels)
    };
    wait_until("the job runs again", SOON, async || runs("ok").await >= Some(1.0)).await;
    assert_eq!(runs("error").await, Some(1.0));
    bed.assert_well().await;
    assert_eq!(bed.panics("flush_likes").await, Some(0.0), "tasks are shown before they fail");
    let log = bed.server.log();
    let line = |text: &str| log.lines().find(|line| line.contains(text)).map(str::to_owned);
    let caught = line("a background task panicked").unwrap_or_else(|| panic!("no name in {log}"));
    assert!(caught.contains("census") && caught.contains("ERROR"), "{caught}");
    let panicked = line("a thread panicked").unwrap_or_else(|| panic!("no hook in {log}"));
    for told in ["asked to panic at census.begun", "crates/common/src/crash.rs", "request_id"] {
        assert!(panicked.contains(told), "{told}: {panicked}");
    }
    assert!(line("job run failed").is_some_and(|line| line.contains("it panicked")), "{log}");
}

/// Nothing that was counted is lost by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn likes_whose_writer_panicked_are_written_by_its_next_run() {
    let bed = Bed::start(Setup::new(Backend::Redis).await.panicking_at("flush_likes.read")).await;
    let anchor = bed.server.client_of("anchor").await;
    let live_id = anchor.go_live("liked").await["live_id"].as_str().unwrap().to_owned();
    let viewer = bed.server.client_of("viewer").await;
    viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    viewer.put(&format!("/client/live/room/{live_id}/like"), json!({"count": 7})).await.data();
    bed.wait_panicked("flush_likes").await;
    let written = "SELECT CAST(COUNT(*) AS CHAR) FROM stats_single_live WHERE type = 6 AND count = 7";
    wait_until("the likes are written", SOON, async || bed.count(written).await == "1").await;
    bed.assert_well().await;
}

/// Ended by the step, which is reached after some use; the task of that name is told to have failed.
#[rstest]
#[case::dispatcher(Backend::Embedded, "hub.heard", "dispatcher")]
#[case::dispatcher_on_redis(Backend::Redis, "hub.heard", "dispatcher")]
#[case::callbacks(Backend::Redis, "callback.claimed", "callbacks")]
#[case::recorder_of_callbacks(Backend::Embedded, "callback.recorded", "callbacks")]
#[case::reactions(Backend::Embedded, "reactions.claimed", "reactions")]
#[case::recorder_of_reactions(Backend::Redis, "reactions.recorded", "reactions")]
#[case::invalidation_listener(Backend::Embedded, "changes.heard", "changes")]
#[case::invalidation_listener_on_redis(Backend::Redis, "changes.heard", "changes")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_one_of_its_tasks_is_not_live_and_stops_and_lives_when_started_again(
    #[case] backend: Backend,
    #[case] step: &str,
    #[case] task: &str,
) {
    let receiver = Receiver::start().await;
    let callback =
        format!("callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}", receiver.addr());
    let mut bed = Bed::start(Setup::new(backend).await.with(&callback).panicking_at(step)).await;
    let client = bed.server.client();
    // While it drains it can still be asked.
    let failing = wait_for("it is not live", SOON, async || {
        let alive = client.try_get("/healthz").await?;
        if alive.status == 503 { client.try_get("/readyz").await } else { None }
    });
    let (ready, ()) = tokio::join!(failing, use_room(&bed.server));
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body["message"].as_str().is_some_and(|text| text.contains("failed")), "{ready:?}");
    let status = bed.server.ended(SOON).await;
    assert_eq!(status.code(), Some(1), "{status}");
    let log = bed.server.log();
    assert!(log.contains(&format!("the background task `{task}` has failed")), "{log}");

    bed.server.start().await;
    bed.assert_well().await;
    use_room(&bed.server).await;
    wait_until("callbacks arrive", SOON, async || receiver.count() > 0).await;
    assert!(bed.server.terminate(SOON).await.success());
}

/// Whatever makes each task do something; the server may fail any time.
async fn use_room(server: &ServerProcess) {
    let anchor = server.client_of("anchor").await;
    let url = format!("ws://127.0.0.1:{}/realtime?token={}", server.setup().port(), anchor.token());
    let socket = Socket::try_open(&url).await.ok();
    let room = anchor.try_post("/client/live/room/instance", json!({"title": "t"})).await;
    let Some(live_id) = room.and_then(|room| room.body["data"]["live_id"].as_str().map(str::to_owned)) else {
        return;
    };
    anchor.try_put(&format!("/client/live/room/{live_id}"), json!({})).await;
    if let Some(mut socket) = socket {
        let channel = format!("room:{live_id}");
        socket.try_ask("subscribe", json!({ "channel": channel })).await;
        let said = json!({"channel": channel, "action": "liveroom-pubchat", "data": "hello"});
        socket.try_ask("publish", said).await;
    }
    anchor.try_put("/client/user/user", json!({"nick": "another"})).await;
}

/// These panic while the server starts, or a moment later.
#[rstest]
#[case::leader(Backend::Redis, "lease.kept", "leader's lease")]
#[case::registration(Backend::Redis, "registry.renewed", "registration")]
#[case::registration_alone(Backend::Embedded, "registry.renewed", "registration")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_keep_its_leases_stops(
    #[case] backend: Backend,
    #[case] step: &str,
    #[case] task: &str,
) {
    let mut server = Setup::new(backend).await.panicking_at(step).prepare();
    server.spawn();
    let status = server.ended(SOON).await;
    assert_eq!(status.code(), Some(1), "{status}");
    assert!(server.log().contains(&format!("the background task `{task}` has failed")), "{}", server.log());
    server.start().await;
    assert!(server.terminate(SOON).await.success());
}

/// What panics for one event is that room's trouble alone.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_makes_its_consumer_panic_holds_up_its_room_alone_and_is_not_lost(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
) {
    let receiver = Receiver::start().await;
    let callback =
        format!("callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}", receiver.addr());
    let bed = Bed::start(Setup::new(backend).await.with(&callback).panicking_at("callback.posted")).await;
    let anchor = bed.server.client_of("anchor").await;
    let first = anchor.go_live("panics").await["live_id"].as_str().unwrap().to_owned();
    bed.wait_panicked("callbacks").await;
    let other = bed.server.client_of("other").await;
    let second = other.go_live("goes on").await["live_id"].as_str().unwrap().to_owned();
    wait_until("the other room's are told", SOON, async || receiver.taken(&second).len() == 2).await;
    bed.assert_well().await;
    let resting = format!(
        "SELECT CAST(callback_attempts AS CHAR) FROM room_lane WHERE live_id = '{first}' AND callback_owner IS NULL"
    );
    wait_until("its failure is recorded", SOON, async || bed.count(&resting).await == "1").await;
    bed.execute(&format!("UPDATE room_lane SET callback_due = 1 WHERE live_id = '{first}'")).await;
    // Its first one was posted before the panic.
    wait_until("its own are told as well", SOON, async || receiver.calls_of(&first).len() >= 3).await;
    let mut numbers: Vec<i64> = receiver.calls_of(&first).iter().map(|call| call.seq).collect();
    numbers.dedup();
    assert_eq!(numbers, [1, 2]);
}
