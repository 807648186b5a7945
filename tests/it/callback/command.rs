//! `liveloom callbacks list|retry`.

use serde_json::{Value, json};

use super::bed::SOON;
use crate::support::callback_receiver::{Mood, PLAIN_SECRET, Receiver, SECRET};
use crate::support::server::{Backend, ServerProcess, Setup, binary};
use crate::support::wait::wait_until;

/// Runs it, and answers whether it succeeded, and what it wrote to standard output and error.
fn callbacks(server: &ServerProcess, arguments: &[&str]) -> (bool, String, String) {
    let (config, overlay) = (server.config(), server.config().with_file_name("overlay.yaml"));
    let output =
        binary(&["callbacks"]).args(arguments).arg("--config").arg(config).arg("-e").arg(overlay).output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn listed(server: &ServerProcess, arguments: &[&str]) -> Value {
    let (succeeded, text, error) = callbacks(server, &[&["list", "--json"], arguments].concat());
    assert!(succeeded, "{error}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_what_failed_and_sends_it_again() {
    let receiver = Receiver::start().await;
    receiver.set_mood(Mood::Status(410));
    let callback = format!("{{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}", receiver.addr());
    let setup = Setup::new(Backend::Redis).await.with(&format!("callback: {callback}"));
    let server = setup.start().await;
    let anchor = server.client_of("anchor").await;
    let mut rooms = Vec::new();
    for _ in 0..3 {
        let room = anchor.post("/client/live/room/instance", json!({ "title": "t" })).await.data();
        rooms.push(room["live_id"].as_str().unwrap().to_owned());
    }
    let ids: Vec<String> = rooms.iter().map(|live_id| format!("evt_{live_id}_1")).collect();
    let failed = async || listed(&server, &["--failed"])["callbacks"].as_array().unwrap().len();
    wait_until("all are kept", SOON, async || failed().await == 3).await;

    let (_, table, _) = callbacks(&server, &["list"]);
    assert!(table.starts_with("WEBHOOK-ID"), "{table}");
    assert!(ids.iter().all(|id| table.contains(id.as_str())) && table.contains("HTTP status 410"), "{table}");
    assert!(table.ends_with("3 shown; 0 events wait in 0 rooms\n"), "{table}");
    assert_eq!(listed(&server, &["--limit", "2"])["callbacks"].as_array().unwrap().len(), 2);
    assert_eq!(listed(&server, &["--pending"])["callbacks"], json!([]));
    let one = listed(&server, &["--live-id", &rooms[1]]);
    assert_eq!(one["waiting"], json!({ "rooms": 0, "events": 0 }));
    let one = &one["callbacks"][0];
    assert_eq!(
        (&one["webhook_id"], &one["state"], &one["kind"]),
        (&json!(ids[1]), &json!("failed"), &json!("live_created"))
    );

    receiver.set_mood(Mood::Well);
    let (succeeded, text, error) = callbacks(&server, &["retry", &ids[0]]);
    assert!(succeeded && text == "1 will be sent again\n", "{text}{error}");
    wait_until("it is told", SOON, async || receiver.taken(&rooms[0]) == [1]).await;
    wait_until("it is recorded", SOON, async || failed().await == 2).await;
    let (_, text, _) = callbacks(&server, &["retry", "--all-failed"]);
    assert_eq!(text, "2 will be sent again\n");
    for room in &rooms {
        wait_until("it is told", SOON, async || receiver.taken(room) == [1]).await;
    }
    wait_until("it is recorded", SOON, async || failed().await == 0).await;

    let (succeeded, _, error) = callbacks(&server, &["retry", "evt_1_1"]);
    assert!(!succeeded && error.contains("evt_1_1: there is no such callback"), "{error}");
    let (succeeded, _, error) = callbacks(&server, &["retry", &ids[0]]);
    assert!(!succeeded && error.contains("it was delivered"), "{error}");
    assert!(!callbacks(&server, &["retry"]).0 && !callbacks(&server, &["list", "--failed", "--pending"]).0);
}
