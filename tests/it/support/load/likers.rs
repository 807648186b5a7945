//! Viewers who like until they are told to stop, and remember what they were told.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::client::{Answer, Client};

/// Likes of one call.
const EACH: i64 = 3;
/// Between two calls: the load is to be there, not to keep the machine from all else.
const PACE: Duration = Duration::from_millis(10);

/// What one viewer gave.
#[derive(Clone, Debug)]
pub struct Given {
    pub live_id: String,
    pub user_id: String,
    /// Likes of calls that were answered.
    pub surely: i64,
    /// Likes of calls that were not, or with an error of the server.
    pub in_doubt: i64,
}

/// The viewers of one room.
pub struct Likers {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<Given>>,
}

impl Likers {
    /// Each of `viewers` (ids, and clients of each node) is in the room.
    pub fn start(live_id: &str, viewers: Vec<(String, Vec<Client>)>) -> Self {
        let stop = CancellationToken::new();
        let tasks = viewers.into_iter().enumerate().map(|(first, (user_id, nodes))| {
            let given = Given { live_id: live_id.to_owned(), user_id, surely: 0, in_doubt: 0 };
            tokio::spawn(like(given, nodes, first, stop.clone()))
        });
        Self { tasks: tasks.collect(), stop }
    }

    pub async fn stop(self) -> Vec<Given> {
        self.stop.cancel();
        let mut all = Vec::new();
        for task in self.tasks {
            all.push(task.await.unwrap());
        }
        all
    }
}

/// Begins at the node number `first`, and goes to the next when that one does not answer.
async fn like(mut given: Given, nodes: Vec<Client>, first: usize, stop: CancellationToken) -> Given {
    let path = format!("/client/live/room/{}/like", given.live_id);
    let (mut last, mut at) = (0, first);
    loop {
        match nodes[at % nodes.len()].try_put(&path, json!({"count": EACH})).await {
            Some(answer) if answer.status == 200 => {
                given.surely += EACH;
                let mine = answer.body["data"]["count"].as_i64().unwrap();
                assert!(mine >= last + EACH, "{mine} after {last}: {given:?}");
                assert!((given.surely..=given.surely + given.in_doubt).contains(&mine), "{mine}: {given:?}");
                last = mine;
            }
            other => {
                assert!(other.as_ref().is_none_or(Answer::is_failure), "{other:?}");
                given.in_doubt += EACH;
                at += 1;
            }
        }
        if stop.is_cancelled() {
            return given;
        }
        tokio::time::sleep(PACE).await;
    }
}
