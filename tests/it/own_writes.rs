//! Who has just written sees it, though the lists are read from a copy. A second schema plays a copy that
//! never gets anything but its heartbeat, so that each list tells where it was read.

use std::time::Duration;

use serde_json::json;
use sqlx::Executor;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::chaos::{ChaosProxy, Mode};
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::env;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);

/// A copy whose heartbeat is recent until the task is aborted.
async fn copy() -> (TestDatabase, JoinHandle<()>) {
    let copy = TestDatabase::create().await;
    copy.migrated().await.close().await;
    let mut connection = copy.mysql().await;
    let beats = tokio::spawn(async move {
        let now = "REPLACE INTO replica_heartbeat (id, beat_ms) VALUES (1, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED))";
        while connection.execute(now).await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    (copy, beats)
}

async fn own_rooms(client: &Client) -> u64 {
    client.get("/client/live/room/list/anchor").await.data()["total_count"].as_u64().unwrap()
}

async fn create(anchor: &Client) {
    anchor.post("/client/live/room/instance", json!({"title": "mine"})).await.data();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_just_written_sees_it_on_every_node() {
    let (copy, beats) = copy().await;
    let cache = ChaosProxy::start(env::redis()).await.unwrap();
    let setup = Setup::new(Backend::Redis).await.reading_from(&copy);
    let setup = setup.replacing(&env::redis(), &format!("127.0.0.1:{}", cache.port()));
    let beside = setup.beside(2);
    let (here, there) = (setup.start().await, beside.start().await);
    let (anchor, other) = (here.client_of("anchor").await, here.client_of("other").await);
    let elsewhere = there.client().with_token(anchor.token());

    create(&anchor).await;
    // Until the heartbeat is seen, everything is read from the writable database.
    wait_until("what was written long ago is read from the copy", SOON, async || {
        own_rooms(&anchor).await + own_rooms(&elsewhere).await == 0
    })
    .await;
    create(&anchor).await;
    assert_eq!(own_rooms(&anchor).await, 2, "one's own write is seen");
    assert_eq!(own_rooms(&elsewhere).await, 2, "at the other node, too");
    let all = other.get("/client/live/room/list").await.data();
    assert_eq!(all["total_count"], 0, "others read from the copy");
    wait_until("the copy has had its time", SOON, async || own_rooms(&anchor).await == 0).await;

    // Whoever cannot be asked about may have written.
    cache.set(Mode::Reset);
    wait_until("without a cache the writable database is read", SOON, async || {
        anchor
            .try_get("/client/live/room/list/anchor")
            .await
            .is_some_and(|answer| answer.status == 200 && answer.data()["total_count"] == 2)
    })
    .await;
    beats.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_and_operators_see_what_they_wrote() {
    let (copy, beats) = copy().await;
    let setup = Setup::new(Backend::Redis).await.reading_from(&copy);
    setup.create_administrator("boss", "a password of the tests");
    let server = setup.start().await;
    let backend = server.client();
    let types = async |path: &str, client: &Client| client.get(path).await.data().as_array().unwrap().len();
    let rose = json!({"gift_id": 7, "type": 1, "name": "Rose", "amount": 1});
    backend.post("/server/gift/config", rose).await;
    assert_eq!(types("/server/gift/config/-1", &backend).await, 1);
    wait_until("the copy is read again", SOON, async || types("/server/gift/config/-1", &backend).await == 0)
        .await;

    let login = json!({"user_name": "boss", "password": "a password of the tests"});
    let session = backend.post("/manager/login", login).await.data();
    let operator = backend.with_token(session["access_token"].as_str().unwrap());
    operator.post("/admin/gift/config", json!({"gift_id": 8, "type": 1, "name": "Tea", "amount": 1})).await;
    assert_eq!(types("/admin/gift/config/-1", &operator).await, 2);
    assert_eq!(types("/server/gift/config/-1", &backend).await, 0, "another has written");
    beats.abort();
}
