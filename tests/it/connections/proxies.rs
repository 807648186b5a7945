//! What stands before the server, or calls it, and asks for upgrades that are not taken.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::json;
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};
use crate::support::wait::wait_until;

const CALLS: usize = 1000;
const AT_ONCE: usize = 16;

/// An nginx that keeps its connections to the server, and sends `Connection: upgrade` with every request.
struct Nginx {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    async fn before(server: &ServerProcess) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let own = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {own}/{kind};"))
            .concat();
        let file = folder.path().join("nginx.conf");
        let upstream = server.setup().port();
        let configuration = format!(
            "daemon off; master_process off; pid {own}/pid; error_log stderr;\n\
             events {{}}\n\
             http {{ access_log off; {temporary}\n\
             upstream live {{ server 127.0.0.1:{upstream} max_fails=0; keepalive 8; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{\n\
             proxy_pass http://live; proxy_http_version 1.1; proxy_next_upstream off;\n\
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; }} }} }}\n"
        );
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-p").arg(folder.path()).arg("-c").arg(&file);
        let child = command.stdin(Stdio::null()).spawn().expect("nginx is installed");
        let nginx = Self { child, port, _folder: folder };
        let client = nginx.client();
        wait_until("nginx passes calls", Duration::from_secs(30), async || {
            client.try_get("/status").await.is_some_and(|answer| answer.status == 200)
        })
        .await;
        nginx
    }

    fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_that_asks_for_an_upgrade_each_time_loses_no_call() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let nginx = Nginx::before(&server).await;
    let user = nginx.client().with_token(server.client_of("u").await.token());
    let calls = iter(0..CALLS).map(|number| {
        let user = user.clone();
        async move {
            if number % 2 == 0 {
                user.get("/client/user/profile").await.status
            } else {
                user.put("/client/user/user", json!({"nick": format!("n{number}")})).await.status
            }
        }
    });
    let statuses: Vec<u16> = calls.buffer_unordered(AT_ONCE).collect().await;
    let lost = statuses.iter().filter(|status| **status != 200).count();
    assert_eq!(lost, 0, "of {CALLS} calls");
}

/// Java's client asks for h2c with every call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a JDK: make test-long"]
async fn java_loses_no_call() {
    let server = Setup::new(Backend::Embedded).await.start().await;
    let user = server.client_of("u").await;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("Calls.java");
    fs::write(&program, include_str!("Calls.java")).unwrap();
    let mut command = tokio::process::Command::new("java");
    command.arg(&program).arg(format!("http://127.0.0.1:{}", server.setup().port())).arg(user.token());
    let output = command.arg(CALLS.to_string()).kill_on_drop(true).output().await.expect("java is installed");
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.trim(), "lost 0", "{failed}");
}
