//! The real server, killed between the steps of a recording's end.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::fake_pili::FakePili;
use crate::support::server::{Backend, Setup};

const LIMIT: Duration = Duration::from_secs(20);

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_recording_and_leaves_no_explanation(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
    #[values("item.recording_ended", "item.recording_saved")] point: &str,
) {
    let pili = FakePili::start("hub", ("test-ak", "test-sk")).await;
    let section =
        format!("pili: {{hub: hub, playback_url: 'https://playback.example', api_url: '{}'}}", pili.url());
    let mut server = Setup::new(backend).await.with(&section).crashing_at(point).start().await;
    let anchor = server.client_of("anchor").await;
    let live_id = anchor.go_live("crash").await["live_id"].as_str().unwrap().to_owned();
    let items = ["a", "b"].map(|id| json!({"item_id": id, "title": "t", "current_price": "1", "status": 1}));
    anchor.post("/client/item/add", json!({"live_id": live_id, "items": items})).await.data();
    anchor.post(&format!("/client/item/demonstrate/start/{live_id}/a"), json!({})).await.data();
    let started = records(&anchor, &live_id).await;
    assert_eq!(started[0]["status"], 4);

    let end = format!("/client/item/demonstrate/{live_id}");
    assert!(anchor.try_delete(&end).await.is_none(), "killed before it answers");
    server.crashed(LIMIT).await;
    server.start().await;
    let anchor = server.client_of("anchor").await;
    let left = records(&anchor, &live_id).await;
    assert_eq!((left.len(), &left[0]["status"], &left[0]["record_url"]), (1, &json!(1), &json!("")));
    assert!(left[0]["end"].is_i64(), "{left:?}");
    assert_eq!(anchor.get(&end).await.data(), Value::Null, "nothing is explained any more");

    // The SDK tries again, and gets what it asked for.
    let record = anchor.delete(&end).await.data();
    assert_eq!((&record["id"], &record["status"]), (&left[0]["id"], &json!(0)));
    assert_eq!((&record["start"], &record["end"]), (&left[0]["start"], &left[0]["end"]));
    assert_eq!(records(&anchor, &live_id).await, [record]);
    assert_eq!(pili.files().len(), 1, "the same file, should it have been saved before");
    assert_eq!(anchor.delete(&end).await.data(), Value::Null);
    anchor.post(&format!("/client/item/demonstrate/start/{live_id}/b"), json!({})).await.data();
    assert_eq!(anchor.get(&end).await.data()["item_id"], "b");
}

async fn records(anchor: &Client, live_id: &str) -> Vec<Value> {
    let records = anchor.get(&format!("/client/item/demonstrate/record/{live_id}")).await.data();
    records.as_array().unwrap().clone()
}
