//! The server is killed between asking the review service and knowing its answer, or between noting
//! what an administrator wants and doing it.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use sqlx::Executor;

use super::bed::KEYS;
use crate::support::client::Client;
use crate::support::fake_review::FakeReview;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(60);

/// A server with a review service, to be killed at a step.
async fn start(backend: Backend, service: &FakeReview, point: &str) -> ServerProcess {
    Setup::new(backend)
        .await
        .with(&service.yaml())
        .with(&format!("account: {{access_key: {}, secret_key: {}}}", KEYS.0, KEYS.1))
        .with("pili: {hub: hub, publish_domain: publish.example}")
        .crashing_at(point)
        .start()
        .await
}

/// Changes the database past the server.
async fn execute(server: &ServerProcess, sql: &'static str) {
    if server.database().schema().is_empty() {
        server.database().sqlite().await.execute(sql).await.unwrap();
    } else {
        server.database().mysql().await.execute(sql).await.unwrap();
    }
}

/// How many jobs run, as far as the server knows.
async fn known_jobs(server: &ServerProcess) -> i64 {
    let sql = "SELECT COUNT(*) FROM live_censor WHERE state = 1 AND job_id <> ''";
    if server.database().schema().is_empty() {
        sqlx::query_scalar(sql).fetch_one(&mut server.database().sqlite().await).await.unwrap()
    } else {
        sqlx::query_scalar(sql).fetch_one(&mut server.database().mysql().await).await.unwrap()
    }
}

/// A client of an administrator.
async fn operator(server: &ServerProcess) -> Client {
    execute(
        server,
        "INSERT INTO admin_user (user_name, user_id, password) \
         SELECT 'boss', 'boss', 'a password' WHERE NOT EXISTS (SELECT 1 FROM admin_user)",
    )
    .await;
    let client = server.client();
    let login = json!({"user_name": "boss", "password": "a password"});
    let data = client.post("/manager/login", login).await.data();
    client.with_token(data["access_token"].as_str().unwrap())
}

#[rstest]
#[case::asked(Backend::Redis, "review.asked")]
#[case::started(Backend::Redis, "review.started")]
#[case::known(Backend::Redis, "review.known")]
#[case::started_embedded(Backend::Embedded, "review.started")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_starts_a_job_starts_one(
    #[case] backend: Backend,
    #[case] point: &str,
) {
    let service = FakeReview::start(KEYS).await;
    let mut server = start(backend, &service, point).await;
    let ann = server.client_of("ann").await;
    let room = ann.post("/client/live/room/instance", json!({"title": "killed"})).await.data();
    let live_id = room["live_id"].as_str().unwrap();
    // The server may be dead before it answers.
    ann.try_put(&format!("/client/live/room/{live_id}"), json!({})).await;
    server.crashed(LIMIT).await;
    server.start().await;
    wait_until("the job is known", LIMIT, async || known_jobs(&server).await == 1).await;
    assert_eq!(service.jobs_of(live_id).len(), 1);
    let boss = operator(&server).await;
    boss.post("/admin/censor/job/close", json!({ "live_id": live_id })).await.data();
    assert_eq!(service.jobs_of(live_id)[0].status, "stop", "it is the one that runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_before_it_closes_a_job_closes_it() {
    let service = FakeReview::start(KEYS).await;
    let mut server = start(Backend::Redis, &service, "review.closing").await;
    let boss = operator(&server).await;
    let room = server.client_of("ann").await.go_live("killed").await;
    let live_id = room["live_id"].as_str().unwrap();
    wait_until("there is a job", LIMIT, async || service.jobs_of(live_id).len() == 1).await;
    boss.try_post("/admin/censor/job/close", json!({ "live_id": live_id })).await;
    server.crashed(LIMIT).await;
    assert_eq!(service.jobs_of(live_id)[0].status, "doing");
    server.start().await;
    wait_until("the job is closed", LIMIT, async || service.jobs_of(live_id)[0].status == "stop").await;
}

/// The newest note of the operation log.
async fn newest_note(boss: &Client) -> Value {
    boss.get("/admin/operations").await.data()["list"][0].take()
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_when_the_server_was_killed_is_noted(#[case] backend: Backend) {
    let service = FakeReview::start(KEYS).await;
    let mut server = start(backend, &service, "operation.noted").await;
    let boss = operator(&server).await;
    boss.try_post("/admin/censor/config", json!({"enable": false})).await;
    server.crashed(LIMIT).await;
    server.start().await;
    let boss = operator(&server).await;
    let note = newest_note(&boss).await;
    assert_eq!((&note["url"], &note["status_code"]), (&json!("/admin/censor/config"), &json!(0)));
    assert_eq!(boss.get("/admin/censor/config").await.data()["enable"], true, "and was not done");
    boss.post("/admin/censor/config", json!({"enable": false})).await.data();
    assert_eq!(newest_note(&boss).await["status_code"], 200);
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_noted_is_not_done(#[case] backend: Backend) {
    let service = FakeReview::start(KEYS).await;
    let server = start(backend, &service, "nowhere").await;
    let boss = operator(&server).await;
    execute(&server, "ALTER TABLE operation_log RENAME TO operation_log_away").await;
    let answer = boss.post("/admin/censor/config", json!({"enable": false})).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body["message"].as_str().unwrap().contains("operation log"), "{answer:?}");
    assert_eq!(boss.get("/admin/censor/config").await.data()["enable"], true);
    assert!(server.log().contains("it could not be noted"), "it is logged");
    execute(&server, "ALTER TABLE operation_log_away RENAME TO operation_log").await;
    boss.post("/admin/censor/config", json!({"enable": false})).await.data();
    assert_eq!(boss.get("/admin/censor/config").await.data()["enable"], false);
}
