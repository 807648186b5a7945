//! The pages of `web/pages`, in a real browser (Playwright with Debian's Chromium), and how they are served.
//! `tests/run` builds them. Pictures of them stay in `e2e` of the target folder.

mod operations;
mod serving;
mod streams;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::support::server::{Backend, ServerProcess, Setup};

/// Who logs in at the console.
const OPERATOR: &str = "operator";
const PASSWORD: &str = "a password of the tests";

/// Rooms have addresses to publish to; nobody does.
const PUBLISHING: &str =
    "pili: {hub: live, publish_domain: publish.example.com, rtmp_play_url: 'rtmp://play.example.com'}";

/// The built pages with their tests, and what the browser needs.
fn folder() -> PathBuf {
    let web = std::env::var("LIVELOOM_TEST_WEB").expect("`make test` sets LIVELOOM_TEST_WEB");
    Path::new(&web).join("pages")
}

/// A server with the demo room, where an operator can log in.
async fn server(setup: Setup) -> ServerProcess {
    let stand_in = format!("http://127.0.0.1:{}/manager/gift/test", setup.port());
    let setup = setup.with(&format!("demo: {{enable: true}}\ngift: {{gift_addr: '{stand_in}'}}"));
    setup.create_administrator(OPERATOR, PASSWORD);
    setup.start().await
}

/// Runs one file of `web/pages/e2e` in the browser against a server.
async fn browse(spec: &str, url: &str, env: &[(&str, &str)]) {
    let pages = folder();
    // web/ of the target folder, whose neighbour this is.
    let pictures = pages.join("../../e2e").join(spec);
    let output = Command::new("node")
        .arg(pages.join("../node_modules/@playwright/test/cli.js"))
        .args(["test", "--config", "e2e/playwright.config.ts", &format!("{spec}.spec.ts")])
        .current_dir(&pages)
        .env("LIVELOOM_URL", url)
        .env("LIVELOOM_E2E_OUTPUT", pictures)
        .env("LIVELOOM_ADMIN_NAME", OPERATOR)
        .env("LIVELOOM_ADMIN_PASSWORD", PASSWORD)
        .env("CI", "1")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("node starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = told.lines().rev().find_map(|line| line.trim().split_once(" passed"));
    assert!(passed.is_some() && !told.contains(" skipped"), "{told}");
}

fn url(setup: &Setup) -> String {
    format!("http://127.0.0.1:{}", setup.port())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_and_an_anchor_live_through_a_room() {
    let setup = Setup::new(Backend::Embedded).await;
    let url = url(&setup);
    let _server = server(setup.with(PUBLISHING)).await;
    browse("room", &url, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_keep_what_pages_have_to_keep() {
    let setup = Setup::new(Backend::Embedded).await;
    let url = url(&setup);
    let _server = server(setup.with(PUBLISHING)).await;
    browse("quality", &url, &[]).await;
}
