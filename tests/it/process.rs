//! The process: killed, stopped, started with mistakes or twice.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::Connection;

use crate::database::adoption;
use crate::support::client::Client;
use crate::support::server::{Backend, ServerProcess, Setup, binary};
use crate::support::wait::wait_until;

/// How many callers are at work when the server is killed.
const CALLERS: usize = 4;

/// How many rooms are acknowledged before it is killed.
const ROOMS: usize = 24;

/// What the server said yes to, of one room.
#[derive(Clone, Debug)]
struct Acknowledged {
    live_id: String,
    anchor: String,
    viewer: Option<String>,
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[case::cluster(Backend::RedisCluster)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9(#[case] backend: Backend) {
    let mut server = Setup::new(backend).await.start().await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let client = server.client();
    let callers = (0..CALLERS)
        .map(|number| tokio::spawn(call_until_dead(client.clone(), number, Arc::clone(&acknowledged))));
    let callers: Vec<_> = callers.collect();
    wait_until("rooms are created", Duration::from_secs(30), async || {
        acknowledged.lock().unwrap().len() >= ROOMS
    })
    .await;
    server.kill();
    for ended in join_all(callers).await {
        ended.unwrap();
    }

    server.start().await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    for room in &acknowledged {
        assert_is_there(&server.client(), room).await;
    }
    let known: BTreeSet<_> = acknowledged.iter().map(|room| room.live_id.as_str()).collect();
    assert_eq!(known.len(), acknowledged.len(), "ids repeat");
    let new = server.client_of("after").await.go_live("after").await;
    let new = new["live_id"].as_str().unwrap();
    let newest = known.iter().map(|id| id.parse::<u64>().unwrap()).max().unwrap();
    assert!(new.parse::<u64>().unwrap() > newest, "ids go on after the former ones");
}

/// Registers an anchor and a viewer, goes live and joins, again and again until nobody answers.
async fn call_until_dead(client: Client, caller: usize, acknowledged: Arc<Mutex<Vec<Acknowledged>>>) {
    for number in 0.. {
        let anchor = format!("anchor-{caller}-{number}");
        let viewer = format!("viewer-{caller}-{number}");
        let users = json!([{"user_id": anchor, "nick": anchor}, {"user_id": viewer, "nick": viewer}]);
        let room = json!({"title": anchor, "anchor_id": anchor});
        if client.try_post("/server/user/register/batch", users).await.is_none() {
            return;
        }
        let Some(room) = client.try_post("/server/live", room).await else { return };
        let live_id = room.data()["live_id"].as_str().unwrap().to_owned();
        let place = {
            let mut rooms = acknowledged.lock().unwrap();
            rooms.push(Acknowledged { live_id: live_id.clone(), anchor, viewer: None });
            rooms.len() - 1
        };
        let Some(token) = token(&client, &viewer).await else { return };
        let (viewing, join) = (client.with_token(&token), format!("/client/live/room/user/{live_id}"));
        let Some(joined) = viewing.try_post(&join, json!({})).await else { return };
        joined.data();
        acknowledged.lock().unwrap()[place].viewer = Some(viewer);
    }
}

async fn token(client: &Client, user_id: &str) -> Option<String> {
    let answer = client.try_get(&format!("/server/auth/token?app_id=tests&user_id={user_id}")).await?;
    Some(answer.data()["access_token"].as_str().unwrap().to_owned())
}

async fn assert_is_there(client: &Client, room: &Acknowledged) {
    let live_id = &room.live_id;
    let found = client.get(&format!("/server/live/{live_id}")).await.data();
    assert_eq!(found["title"], json!(room.anchor));
    assert_eq!(found["anchor_info"]["user_id"], json!(room.anchor));
    assert_eq!(found["anchor_info"]["nick"], json!(room.anchor));
    let Some(viewer) = &room.viewer else { return };
    let viewer_client = client.log_in(viewer).await;
    let users = viewer_client.get(&format!("/client/live/room/user_list?live_id={live_id}")).await.data();
    let is_listed = users["list"].as_array().unwrap().iter().any(|user| user["user_id"] == json!(viewer));
    assert!(is_listed, "{viewer} is not in {users}");
    let heartbeat = viewer_client.get(&format!("/client/live/room/heartbeat/{live_id}")).await;
    assert_eq!(heartbeat.data()["live_id"], json!(live_id));
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_the_process_well_and_the_next_need_not_wait(#[case] backend: Backend) {
    // So long a lease that a start which waited for it would fail.
    let setup = Setup::new(backend).await.with("cron: {lease_s: 600}");
    let mut server = setup.start().await;
    let room = server.client_of("anchor").await.go_live("stopped well").await;
    let status = server.terminate(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(server.client().try_get("/healthz").await.is_none(), "nobody listens");

    server.start().await;
    let path = format!("/server/live/{}", room["live_id"].as_str().unwrap());
    assert_eq!(server.client().get(&path).await.data()["live_status"], 1);
}

#[test]
fn mistakes_of_the_configuration_are_lines_and_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    let text = format!(
        "node: {{node_id: 5000, data_dir: '{}'}}\nauth: {{jwt_kye: a}}\ncache: {{type: nod}}\n",
        folder.path().display(),
    );
    fs::write(&file, text).unwrap();
    let Output { status, stderr, .. } = binary(&["serve", "--config"]).arg(&file).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    for key in ["node_id", "jwt_kye", "type"] {
        let lines = stderr.lines().filter(|line| line.contains(key) && line.contains("config.yaml:"));
        assert_eq!(lines.count(), 1, "{key} in\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_file_that_is_not_there_is_one_line() {
    let Output { status, stderr, .. } = binary(&["serve", "--config", "/nowhere/c.yaml"]).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("/nowhere/c.yaml") && !stderr.contains("panicked"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_serves_one_process() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let folder = server.database().data_dir().display().to_string();

    let (status, stderr) = start_second(&server).await;
    assert_eq!(status, Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.contains(&folder) && !stderr.contains("panicked"), "{stderr}");

    let room: Value = server.client_of("anchor").await.go_live("still here").await;
    assert_eq!(room["live_status"], 1);
}

/// Starts another process on the same folder and another port.
async fn start_second(server: &ServerProcess) -> (Option<i32>, String) {
    let mut command = binary(&["serve", "--config"]);
    command.arg(server.config()).env("LIVELOOM__HTTPQ__ADDR", "127.0.0.1:0");
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    let ended = tokio::time::timeout(Duration::from_secs(20), command.output()).await;
    let output = ended.expect("it refuses to start").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// QNLiveKit_Server's own file, as its guide prints it, with the placeholders filled in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_the_reference_starts_the_server_with_its_warnings() {
    let mut server = Setup::of_the_guide().await.start().await;
    let log = server.log();
    for warned in ["auth.jwt_key", "auth.server"] {
        assert!(log.lines().any(|line| line.contains("warning") && line.contains(warned)), "{warned}: {log}");
    }
    assert_eq!(server.client().get("/server/user/info/nobody").await.status, 401, "signatures are on");
    assert!(server.terminate(Duration::from_secs(15)).await.success());
}

/// Users, rooms, views and times of QNLiveKit_Server go on where they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_the_reference_is_served() {
    let server = Setup::over(Backend::Redis, adoption::old().await).start().await;
    let (bob, alice) = (server.client_of("Bob").await, server.client_of("alice").await);
    let profile = bob.get("/client/user/profile").await.data();
    assert_eq!((&profile["im_userid"], &profile["extends"]["vip"]), (&json!(77), &json!("1")));
    assert_eq!(alice.get("/client/user/user/bob").await.status, 404, "another spelling is another user");

    let room = "/client/live/room/user/1670000000000000001";
    let joined = alice.post(room, json!({})).await.data();
    // 23:59:59 in Shanghai; three and four views of hers, and this one.
    let expected = (json!(1_687_190_399), json!(8), json!(1), json!(1), json!({"a": "b"}));
    let fields = ["start_time", "pv", "uv", "total_mics", "extends"].map(|field| joined[field].clone());
    let [start_time, pv, uv, mics, extends] = fields;
    assert_eq!((start_time, pv, uv, mics, extends), expected, "{joined}");
    let listed = alice.get("/client/live/room/list").await.data();
    assert_eq!(
        (&listed["total_count"], &listed["list"][0]["title"]),
        (&json!(1), &json!("First")),
        "{listed}"
    );
    alice.get("/client/live/room/heartbeat/1670000000000000001").await.data();
    alice.delete(room).await.data();
    bob.delete("/client/live/room/1670000000000000001").await.data();
    bob.go_live("a room of today").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_may_migrate_at_once() {
    let setup = Setup::new(Backend::Redis).await;
    let (config, overlay) = setup.write();
    let migrate = || {
        let mut command = binary(&["migrate", "--config"]);
        command.arg(&config).arg("-e").arg(&overlay);
        std::thread::spawn(move || command.output().unwrap())
    };
    let both = [migrate(), migrate()];
    for done in both.map(|process| process.join().unwrap()) {
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let again = migrate().join().unwrap();
    assert_eq!(String::from_utf8_lossy(&again.stdout).trim(), "0 steps applied");
    setup.start().await;
}

/// Starts embedded mode in a folder and kills it once it listens; answers what it printed.
async fn first_words(folder: &std::path::Path) -> String {
    let port = crate::support::server::free_port();
    let log = folder.join("log");
    let mut server = binary(&["serve"])
        .env("LIVELOOM__HTTPQ__ADDR", format!("127.0.0.1:{port}"))
        .env("LIVELOOM__NODE__DATA_DIR", folder.join("data"))
        .stdout(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(&log).unwrap();
    wait_until("the server says how to call it", Duration::from_secs(90), async || {
        said().contains("Create a room:")
    })
    .await;
    server.kill().unwrap();
    server.wait().unwrap();
    said()
}

#[tokio::test]
async fn the_first_start_alone_makes_an_administrator_whose_password_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let first = first_words(folder.path()).await;
    let kept = fs::read_to_string(folder.path().join("data/admin-password")).unwrap();
    assert!(first.contains(&format!("user admin, password {}", kept.trim())), "{first}");
    assert!(
        first.contains("Only this machine can reach it. To open it to the network: serve --addr :"),
        "{first}"
    );
    let second = first_words(folder.path()).await;
    assert!(!second.contains(kept.trim()) && second.contains("admin-password"), "{second}");
}

#[tokio::test]
async fn an_administrator_without_a_password_hinders_no_start_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = first_words(folder.path()).await;
    assert!(first.contains("user admin, password "), "{first}");
    let file = folder.path().join("data").join(store::db::SQLITE_FILE);
    let mut database =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query("UPDATE admin_user SET password = NULL").execute(&mut database).await.unwrap();
    let second = first_words(folder.path()).await;
    assert!(second.contains("any administrator"), "{second}");
    assert!(!folder.path().join("data/admin-password").exists(), "it is nobody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_this_machine_that_is_not_named_is_warned_of_once() {
    let warning = "is not in httpq.trusted_proxies";
    let named = Setup::new(Backend::Embedded)
        .await
        .replacing("workers: 2", "workers: 2, trusted_proxies: [127.0.0.1]");
    let (named, unnamed) = (named.start().await, Setup::new(Backend::Embedded).await.start().await);
    for server in [&named, &unnamed] {
        let behind = server.client().with_header("X-Forwarded-For", "192.0.2.7");
        for _ in 0..5 {
            assert_eq!(behind.get("/healthz").await.status, 200);
        }
    }
    wait_until("the operator is told", Duration::from_secs(20), async || unnamed.log().contains(warning))
        .await;
    assert_eq!(unnamed.log().matches(warning).count(), 1);
    assert!(!named.log().contains(warning) && named.log().contains("192.0.2.7"));
}
