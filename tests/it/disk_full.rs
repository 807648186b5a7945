//! A full disk: what cannot be stored is refused, what was acknowledged stays, also after `kill -9`, and all goes
//! on once there is room.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::client::Client;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(60);
/// Calls after which the files of the database are full at the latest.
const CALLS: usize = 3000;
/// Users of one call.
const USERS: usize = 50;
/// What may still be written.
const LEFT: u64 = 100_000;
/// Refusals in a row after which nothing fits any more: a connection that failed may have made room by its end, when
/// what it had written ahead goes into the file proper.
const REFUSALS: usize = 10;

/// Lets no file of the server grow much larger than the largest is now, which looks like a full disk to it.
fn fill_disk(server: &ServerProcess) {
    let files = fs::read_dir(server.database().data_dir()).unwrap();
    let largest = files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap();
    limit_files(server, &(largest + LEFT).to_string());
}

fn limit_files(server: &ServerProcess, limit: &str) {
    let (pid, limit) = (server.pid().to_string(), format!("--fsize={limit}:"));
    let limited = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
    assert!(limited.expect("prlimit is installed").success());
}

/// Registers users until that is refused again and again; those that were acknowledged.
async fn fill(client: &Client, prefix: &str) -> Vec<String> {
    let (mut known, mut refused) = (Vec::new(), 0);
    for call in 0..CALLS {
        let names: Vec<String> = (0..USERS).map(|user| format!("{prefix}-{call}-{user}")).collect();
        let users = names.iter().map(|name| json!({"user_id": name, "nick": name})).collect::<Vec<_>>();
        let answer = client.post("/server/user/register/batch", json!(users)).await;
        if answer.status == 200 {
            known.extend(names);
            refused = 0;
            continue;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        refused += 1;
        if refused == REFUSALS {
            return known;
        }
    }
    panic!("the disk is never full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_a_full_disk_is_not_ready_keeps_what_it_acknowledged_and_goes_on() {
    // A process that exceeds the limit of its files gets a signal, which would end it.
    let setup = Setup::new(Backend::Embedded).await.with("log: {filter: error}").after("trap '' XFSZ");
    let mut server = setup.start().await;
    let client = server.client();
    fill_disk(&server);
    let mut known = fill(&client, "first").await;
    assert!(!known.is_empty());
    let mut turn = 0;
    wait_until("it is not ready", SOON, async || {
        let ready = client.get("/readyz").await;
        if ready.status == 503 {
            return ready.body["message"].as_str().is_some_and(|text| text.contains("database"));
        }
        // A connection that ended since has made room, in which the little that a node writes of itself fits.
        turn += 1;
        known.extend(fill(&client, &format!("first-{turn}")).await);
        false
    })
    .await;
    assert_eq!(client.get("/healthz").await.status, 200);
    let found = client.get(&format!("/server/user/info/{}", known[0])).await;
    assert_eq!(found.status, 200, "what is there can be read: {found:?}");

    limit_files(&server, "unlimited");
    wait_until("it is ready again", SOON, async || client.get("/readyz").await.status == 200).await;
    let anchor = server.client_of("anchor").await;
    anchor.go_live("after").await;

    fill_disk(&server);
    known.extend(fill(&client, "second").await);
    server.kill();
    server.start().await;
    let stored = server.database().rows("SELECT user_id FROM live_users").await;
    let stored: BTreeSet<String> = stored.into_iter().flatten().flatten().collect();
    let lost: Vec<_> = known.iter().filter(|user| !stored.contains(*user)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), known.len());
    server.client_of("anchor").await.go_live("the next one").await;
}
