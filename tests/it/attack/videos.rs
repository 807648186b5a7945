//! Viewers of barrage who follow videos that nobody publishes, and come again at once.

use futures_util::future::join_all;
use serde_json::json;

use super::tally::Tally;
use super::target::Target;
use crate::support::realtime::Socket;

const AT_ONCE: usize = 8;
/// As many requests as a new connection may send at once.
const BURST: usize = 60;

/// Incoming, or sent away.
pub const EXPECTED: &[&str] = &["followed", "refused", "ended", "over"];

/// Again and again, over connections of their own.
pub async fn attack(target: &Target) -> Tally {
    let viewers = (0..AT_ONCE).map(|viewer| {
        let target = target.clone();
        tokio::spawn(async move {
            let mut tally = Tally::default();
            for turn in 0.. {
                if target.is_over() {
                    break;
                }
                if target.unless_over(watch(&target, &format!("{viewer}-{turn}"), &mut tally)).await.is_none()
                {
                    tally.add("over");
                }
            }
            tally
        })
    });
    Tally::sum(join_all(viewers).await.into_iter().map(Result::unwrap))
}

/// Follows as many as it may.
async fn watch(target: &Target, name: &str, tally: &mut Tally) {
    let Ok(mut viewer) = Socket::try_open(&target.barrage_url()).await else { return tally.add("refused") };
    for number in 0..BURST {
        let channel = format!("{name}-{number}@video");
        viewer.send(&json!({"op": "subscribe", "channel": channel}).to_string()).await;
        match viewer.next_text().await {
            Some(told) if told.contains("true") => tally.add("followed"),
            Some(_) => tally.add("refused"),
            None => return tally.add("ended"),
        }
    }
}
