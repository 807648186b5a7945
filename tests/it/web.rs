//! The TypeScript client of `web/client`, by its own tests. `tests/run` builds it.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use crate::support::client::Client;
use crate::support::server::{Backend, Setup};

/// What the tests against a server are called; the others need none.
const SERVER_TESTS: &str = "server.test.js";

fn folder() -> PathBuf {
    let web = std::env::var("LIVELOOM_TEST_WEB").expect("`make test` sets LIVELOOM_TEST_WEB");
    Path::new(&web).join("client/build/test")
}

/// Runs test files under Node.js, which must find some and pass them all.
async fn pass(files: &[PathBuf], env: &[(&str, &str)]) {
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"]).args(files).envs(env.iter().copied()).kill_on_drop(true);
    let output = node.output().await.expect("node starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = told.lines().find_map(|line| line.strip_prefix("# pass ")).expect("a count");
    assert_ne!(passed, "0", "{told}");
    assert!(told.contains("\n# skipped 0\n"), "{told}");
}

#[tokio::test]
async fn the_client_keeps_its_promises_over_a_scripted_socket() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let is_unit = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".test.js") && name != SERVER_TESTS
    };
    pass(&entries.filter(is_unit).collect::<Vec<_>>(), &[]).await;
}

/// A live room with two users in it, and the token of each.
async fn room_of_two(server: &Client) -> (String, String) {
    let token = async |user_id: &str| {
        let data = server.get(&format!("/server/auth/token?app_id=tests&user_id={user_id}")).await.data();
        data["access_token"].as_str().unwrap().to_owned()
    };
    let (anna, ben) = (token("anna").await, token("ben").await);
    let room = server.with_token(&anna).go_live("Web").await;
    let live_id = room["live_id"].as_str().unwrap().to_owned();
    let path = format!("/client/live/room/user/{live_id}");
    for user in [&anna, &ben] {
        server.with_token(user).post(&path, json!({})).await.data();
    }
    (live_id, format!("{anna},{ben}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_chats_resumes_and_keeps_order_with_a_server() {
    for backend in [Backend::Embedded, Backend::Redis, Backend::RedisCluster] {
        let setup = Setup::new(backend).await;
        let url = format!("http://127.0.0.1:{}", setup.port());
        let server = setup.start().await;
        let (live_id, tokens) = room_of_two(&server.client()).await;
        let env = [
            ("LIVELOOM_TEST_URL", url.as_str()),
            ("LIVELOOM_TEST_TOKENS", tokens.as_str()),
            ("LIVELOOM_TEST_ROOM", live_id.as_str()),
        ];
        pass(&[folder().join(SERVER_TESTS)], &env).await;
    }
}
