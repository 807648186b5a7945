//! The published library of Standard Webhooks takes what is sent. `tests/run` installs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use super::bed::Bed;
use crate::support::callback_receiver::{Call, PLAIN_SECRET, SECRET};

fn verify(call: &Call, text: &str, secret: &[&str]) -> Output {
    let folder = std::env::var("LIVELOOM_TEST_WEBHOOKS").expect("`make test` sets LIVELOOM_TEST_WEBHOOKS");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhooks/verify.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .arg(folder)
        .args(secret)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node starts");
    let input = json!({ "headers": call.headers, "body": text }).to_string();
    node.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    node.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_library_verifies_it_with_either_secret() {
    let bed = Bed::new(true).await;
    let _node = bed.node().await;
    bed.append_to(&["100"], 1).await;
    bed.wait_calls("100", 1).await;
    let call = bed.receiver.calls().remove(0);
    for secret in [&[SECRET] as &[&str], &[PLAIN_SECRET, "raw"]] {
        let verified = verify(&call, &call.text, secret);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        assert_eq!(String::from_utf8_lossy(&verified.stdout).trim(), "verified");
        let other = verify(&call, &call.text.replace("100", "101"), secret);
        assert!(!other.status.success(), "another text");
    }
    let stranger = verify(&call, &call.text, &["another secret", "raw"]);
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("No matching signature"), "{stranger:?}");
}
