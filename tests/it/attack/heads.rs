//! Heads of requests that announce a mebibyte, of which nothing follows.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use super::tally::Tally;
use super::target::Target;

/// So many connect at once.
const CONNECTING: usize = 256;
const MEBIBYTE: usize = 1 << 20;

/// Refused for who asks, for what is asked, for its length, for how long it takes, or because there is no room.
/// Nothing is answered as if it had come.
pub const EXPECTED: &[&str] = &["ended", "401", "404", "408", "413", "429", "503", "over"];

/// Waves of so many connections, each as soon as the one before is answered.
pub async fn attack(target: &Target, count: usize, token: &str) -> Tally {
    let gate = Arc::new(Semaphore::new(CONNECTING));
    let heads: Arc<[String]> = heads(token).into();
    let mut waves = Vec::new();
    while !target.is_over() {
        let wave = (0..count).map(|number| {
            let (target, gate, heads) = (target.clone(), Arc::clone(&gate), Arc::clone(&heads));
            tokio::spawn(async move { send(&target, &gate, &heads[number % heads.len()]).await })
        });
        let mut tally = Tally::default();
        join_all(wave).await.into_iter().for_each(|came| tally.add(came.unwrap()));
        waves.push(tally);
    }
    Tally::sum(waves)
}

/// Of strangers, and of one who may speak: to a batch, to something else, and to nothing.
fn heads(token: &str) -> Vec<String> {
    let head = |path: &str, more: &str, length: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{more}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let authorization = format!("Authorization: {token}\r\n");
    vec![
        head("/client/live/room/instance", "", MEBIBYTE),
        head("/server/user/register/batch", "", MEBIBYTE),
        head("/nowhere", "", MEBIBYTE),
        head("/manager/login", "", MEBIBYTE),
        head("/client/stats/singleLive", &authorization, MEBIBYTE),
        head("/client/live/room/instance", &authorization, 60_000),
    ]
}

/// Sends a head and waits; what came of it.
async fn send(target: &Target, gate: &Semaphore, head: &str) -> String {
    let connecting = gate.acquire().await.unwrap();
    let Some(mut stream) = target.connect().await else { return "over".to_owned() };
    let sent = stream.write_all(head.as_bytes()).await;
    drop(connecting);
    if sent.is_err() {
        return "ended".to_owned();
    }
    match target.unless_over(Target::status(&mut stream)).await {
        Some(Some(status)) => status.to_string(),
        Some(None) => "ended".to_owned(),
        None => "over".to_owned(),
    }
}
