//! The `Dockerfile`, and what the image asks the server.

use std::process::Command;

use super::{path, said, text};
use crate::support::env;
use crate::support::server::{Backend, Setup};

#[test]
fn a_linter_accepts_the_dockerfile() {
    let mut linter = Command::new(env::deployment_tools().join("bin/hadolint"));
    said("hadolint", linter.arg("Dockerfile").current_dir(path(".")).output().expect("it is installed"));
}

#[test]
fn the_image_runs_without_root_and_holds_what_it_copies() {
    let dockerfile = text("Dockerfile");
    let (_, last) = dockerfile.rsplit_once("\nFROM ").unwrap();
    assert!(last.lines().any(|line| line == "USER 10001"), "a number, which Kubernetes can judge");
    let own = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--"));
    for source in own.map(|line| line.split(' ').next().unwrap()) {
        assert!(path(source).exists(), "{source}");
        let ignored = text(".dockerignore");
        assert!(!ignored.lines().any(|line| source.starts_with(line)), "{source} is ignored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_check_tells_a_server_that_is_up_from_one_that_is_not() {
    let setup = Setup::new(Backend::Embedded).await;
    let port = setup.port().to_string();
    let check = || {
        let mut command = Command::new(path("deploy/docker/healthcheck"));
        command.env("HEALTHCHECK_PORT", &port).output().unwrap().status.success()
    };
    assert!(!check(), "nobody listens");
    let mut server = setup.start().await;
    assert!(check());
    server.kill();
    assert!(!check());
}
