//! Requests that are none.

use std::time::Duration;

use super::wire::Wire;
use crate::support::server::{Backend, Setup, free_port};
use crate::support::wait::wait_until;

const COUNT: usize = 300;
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn malformed_requests_are_counted_and_fill_no_log() {
    let exporter = free_port();
    let prome =
        format!("prome: {{client_mode: exporter, exporter_config: {{listen_addr: '127.0.0.1:{exporter}'}}}}");
    let server = Setup::new(Backend::Embedded).await.with(&prome).start().await;
    for _ in 0..COUNT {
        let mut wire = Wire::open(server.setup().port()).await;
        assert!(wire.send("no request\r\n\r\n").await);
        assert_eq!(wire.answer().await.expect("an answer").status, 400);
    }
    wait_until("all are counted", SOON, async || {
        let page = reqwest::get(format!("http://127.0.0.1:{exporter}/metrics")).await.unwrap();
        page.text()
            .await
            .unwrap()
            .contains(&format!("liveloom_http_unread_total{{reason=\"malformed\"}} {COUNT}"))
    })
    .await;
    wait_until("the log tells of them", SOON, async || server.log().contains("no request could be read"))
        .await;
    let log = server.log();
    // The server tells of the weak secrets of its tests as well.
    let is_error = |line: &&str| line.contains("ERROR") && !line.contains("a secret is known");
    let errors: Vec<_> = log.lines().filter(is_error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let told = log.lines().filter(|line| line.contains("no request could be read")).count();
    assert!(told < COUNT / 2, "{told} lines of {COUNT} requests");
}
