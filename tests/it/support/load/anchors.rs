//! Pairs of anchors who go live, begin and end PKs and end their rooms, one room after the other, and
//! remember what was acknowledged.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::client::{Answer, Client};

/// Between two calls, as of people who do something with their rooms.
const PACE: Duration = Duration::from_millis(30);

/// A change that was acknowledged, as the event of that kind in the room's lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noted {
    pub live_id: String,
    pub kind: &'static str,
}

/// One pair.
pub struct Anchors {
    stop: CancellationToken,
    task: JoinHandle<Vec<Noted>>,
}

struct Anchor {
    user_id: String,
    /// The same at each node.
    nodes: Vec<Client>,
    tries: usize,
    /// Whether the last call was tried before, and may have got through then.
    is_repeat: bool,
}

struct Pair {
    one: Anchor,
    other: Anchor,
    noted: Vec<Noted>,
}

impl Anchors {
    /// Starts a pair: their ids, and clients of each node.
    pub fn start(one: (String, Vec<Client>), other: (String, Vec<Client>)) -> Self {
        let anchor = |(user_id, nodes)| Anchor { user_id, nodes, tries: 0, is_repeat: false };
        let mut pair = Pair { one: anchor(one), other: anchor(other), noted: Vec::new() };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            for round in 0_usize.. {
                pair.round(round).await;
                if stopped.is_cancelled() {
                    break;
                }
            }
            pair.noted
        });
        Self { stop, task }
    }

    pub async fn stop(self) -> Vec<Noted> {
        self.stop.cancel();
        self.task.await.unwrap()
    }
}

impl Anchor {
    /// Calls one node after the other until one of them decides.
    async fn call(&mut self, method: Method, path: &str, body: Value) -> Answer {
        self.is_repeat = false;
        loop {
            let node = &self.nodes[self.tries % self.nodes.len()];
            self.tries += 1;
            let answer = match method {
                Method::GET => node.try_get(path).await,
                Method::POST => node.try_post(path, body.clone()).await,
                Method::PUT => node.try_put(path, body.clone()).await,
                _ => node.try_delete(path).await,
            };
            tokio::time::sleep(PACE).await;
            if let Some(answer) = answer.filter(|answer| !answer.is_failure()) {
                return answer;
            }
            self.is_repeat = true;
        }
    }

    /// The same for a change, which is then made: by this call, or by an earlier try, after which there
    /// is nothing left to change.
    async fn change(&mut self, method: Method, path: &str) {
        let answer = self.call(method, path, json!({})).await;
        // What stands before several nodes repeats by itself what a node that was killed may have got.
        let may_be_repeat = self.is_repeat || self.nodes.len() == 1;
        let is_made = answer.status == 200 || may_be_repeat && [400, 404].contains(&answer.status);
        assert!(is_made, "{path}: {answer:?}");
    }

    async fn create(&mut self) -> String {
        let created = self.call(Method::POST, "/client/live/room/instance", json!({"title": "pair"})).await;
        created.data()["live_id"].as_str().unwrap().to_owned()
    }
}

impl Pair {
    fn note(&mut self, live_id: &str, kind: &'static str) {
        self.noted.push(Noted { live_id: live_id.to_owned(), kind });
    }

    /// Two rooms from their beginning to their end. In a third of the rounds each, the PK is stopped
    /// first, or ends with the room of one or of the other.
    async fn round(&mut self, round: usize) {
        let (one_id, other_id) = (self.one.create().await, self.other.create().await);
        for live_id in [&one_id, &other_id] {
            self.note(live_id, "live_created");
            let anchor = if live_id == &one_id { &mut self.one } else { &mut self.other };
            let path = format!("/client/live/room/{live_id}");
            anchor.change(Method::PUT, &path).await;
            self.note(live_id, "live_started");
        }
        let sid = self.start_pk(&one_id, &other_id).await;
        if round.is_multiple_of(3) {
            self.other.change(Method::POST, &format!("/client/relay/{sid}/stop")).await;
        }
        let one_first = round % 3 == 1;
        for is_one in [one_first, !one_first] {
            let (anchor, live_id) =
                if is_one { (&mut self.one, &one_id) } else { (&mut self.other, &other_id) };
            let path = format!("/client/live/room/{live_id}");
            anchor.change(Method::POST, &path).await;
            self.note(live_id, "live_stopped");
        }
        self.note(&one_id, "pk_stopped");
        let path = format!("/client/live/room/instance/{one_id}");
        self.one.change(Method::DELETE, &path).await;
        self.note(&one_id, "live_deleted");
    }

    /// The id of the PK, whichever try began it.
    async fn start_pk(&mut self, one_id: &str, other_id: &str) -> String {
        let body = json!({
            "init_room_id": one_id, "recv_room_id": other_id, "recv_user_id": self.other.user_id,
        });
        let started = self.one.call(Method::POST, "/client/relay/start", body).await;
        self.note(one_id, "pk_started");
        if started.status == 200 {
            return started.data()["relay_id"].as_str().unwrap().to_owned();
        }
        let info = self.one.call(Method::GET, &format!("/client/live/room/info/{one_id}"), json!({})).await;
        let sid = info.data()["pk_id"].as_str().unwrap().to_owned();
        assert!(!sid.is_empty(), "{} is in no PK, but cannot begin one: {started:?}", self.one.user_id);
        sid
    }
}
