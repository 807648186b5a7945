//! Where a server listens.

use std::time::Duration;

use crate::support::server::{Backend, Setup, free_port};

const SOON: Duration = Duration::from_secs(30);

async fn status(addr: &str, path: &str) -> Option<u16> {
    let answer = reqwest::get(format!("http://{addr}{path}")).await;
    answer.ok().map(|answer| answer.status().as_u16())
}

/// A server whose API and exporter listen at `host`, and the ports.
async fn setup(host: &str) -> (Setup, [u16; 2]) {
    let (setup, exporter) = (Setup::new(Backend::Embedded).await, free_port());
    let port = setup.port();
    let prome =
        format!("prome: {{client_mode: exporter, exporter_config: {{listen_addr: '{host}:{exporter}'}}}}");
    let setup = setup.replacing(&format!("127.0.0.1:{port}"), &format!("{host}:{port}"));
    (setup.with(&prome), [port, exporter])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_without_a_host_is_open_to_ipv4_and_ipv6_and_so_is_localhost() {
    for host in ["", "localhost"] {
        let (setup, ports) = setup(host).await;
        let mut server = setup.start().await;
        for loopback in ["127.0.0.1", "[::1]"] {
            for (port, path) in ports.into_iter().zip(["/healthz", "/metrics"]) {
                assert_eq!(
                    status(&format!("{loopback}:{port}"), path).await,
                    Some(200),
                    "{host} {loopback} {path}"
                );
            }
        }
        assert!(server.terminate(SOON).await.success());
        for loopback in ["127.0.0.1", "[::1]"] {
            assert_eq!(
                status(&format!("{loopback}:{}", ports[0]), "/healthz").await,
                None,
                "{host} {loopback}"
            );
        }
    }
}

/// Whoever comes over IPv4 is known by that address, though the socket is one for both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_over_ipv4_has_an_ipv4_address() {
    let (setup, [port, _]) = setup("").await;
    let setup = setup.with("httpq: {trusted_proxies: [127.0.0.1/32]}\nlimits: {login_per_s: 1}");
    let _server = setup.start().await;
    let client = reqwest::Client::new();
    // Behind a trusted proxy each visitor has a limit of their own, and nobody else's.
    for visitor in 0..10 {
        let log_in = client.post(format!("http://127.0.0.1:{port}/manager/login"));
        let log_in = log_in.header("X-Forwarded-For", format!("203.{visitor}.113.7"));
        let answer =
            log_in.json(&serde_json::json!({"user_name": "nobody", "password": "x"})).send().await.unwrap();
        assert_ne!(answer.status(), 429, "the proxy is not recognised");
    }
}
