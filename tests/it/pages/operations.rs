//! What an operator meets on a bad day: pictures that wait, callbacks that failed, two nodes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PASSWORD, PUBLISHING, browse, server, url};
use crate::support::callback_receiver::{Mood, PLAIN_SECRET, Receiver, SECRET};
use crate::support::client::Client;
use crate::support::fake_review::{FakeReview, IMAGES, Job};
use crate::support::server::{Backend, Setup};
use crate::support::wait::{wait_for, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Pictures of the demo room's gifts stand for those of a stream.
const PICTURES: [(&str, &str); 4] =
    [("rose", "block"), ("castle", "review"), ("coffee", "pass"), ("rocket", "review")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_goes_through_the_console() {
    let setup = Setup::new(Backend::Embedded).await;
    let url = url(&setup);
    // Without anything to be warned of.
    let own_keys = "account: {secret_key: 0123456789abcdef0123456789abcdef}";
    let _server = server(setup.with(PUBLISHING).with(own_keys)).await;
    browse("console", &url, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_judges_pictures_and_sends_failed_callbacks_again() {
    let (review, receiver) = (FakeReview::start(("test-ak", "test-sk")).await, Receiver::start().await);
    let setup = Setup::new(Backend::Redis).await;
    let url = url(&setup);
    let setup = setup
        .with(&review.yaml().replace(IMAGES, &format!("{url}/gifts")))
        .with(&format!("callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}", receiver.addr()))
        .with(PUBLISHING);
    let beside = setup.beside(2);
    let server = server(setup).await;
    let _other = beside.start().await;

    // Whoever answers 410 does not want the event: it has failed at once.
    receiver.set_mood(Mood::Status(410));
    for anchor in ["anna", "ben"] {
        server.client_of(anchor).await.go_live("Nobody is told").await;
    }
    let room = server.client_of("anchor").await.go_live("Pictures to judge").await;
    let live_id = room["live_id"].as_str().unwrap();
    let job = wait_for("the review has a job", LIMIT, async || review.jobs_of(live_id).pop()).await;
    for (seconds, (name, suggestion)) in (0..).zip(PICTURES) {
        deliver(&server.client(), &job, name, suggestion, seconds).await;
    }
    let operator = log_in(&server.client()).await;
    wait_until("callbacks have failed", LIMIT, async || {
        let failed = operator.get("/admin/callback/list?state=failed").await.data();
        failed["total_count"].as_i64() >= Some(3)
    })
    .await;
    receiver.set_mood(Mood::Well);
    browse("operations", &url, &[]).await;
    let taken = receiver.calls().iter().filter(|call| call.taken).count();
    assert!(taken >= 3, "the browser sent {taken} again");
}

async fn log_in(client: &Client) -> Client {
    let body = json!({"user_name": super::OPERATOR, "password": PASSWORD});
    let session = client.post("/manager/login", body).await.data();
    client.with_token(session["access_token"].as_str().unwrap())
}

/// Posts what the review service says of a picture.
async fn deliver(client: &Client, job: &Job, name: &str, suggestion: &str, seconds: i64) {
    let scene = |suggestion: &str| json!({"suggestion": suggestion, "details": []});
    let picture: Value = json!({
        "job": job.id,
        "live": {"id": job.room, "uri": job.uri, "info": ""},
        "image": {
            "code": 200, "message": "OK", "job": job.id, "timestamp": job.created_at + seconds,
            "url": format!("qiniu:///review-bucket/{name}.svg"),
            "result": {"suggestion": suggestion, "scenes": {
                "pulp": scene(suggestion), "terror": scene("pass"), "politician": scene("pass"), "ads": scene("pass"),
            }},
        },
    });
    client.post(job.callback(), picture).await.data();
}
