//! Ordinary viewers of a room, some of whom come anew with each call, and what they notice.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::oneshot;

use crate::support::client::Client;
use crate::support::realtime::Socket;
use crate::support::server::ServerProcess;

const VIEWERS: usize = 8;
/// Between two calls of one of them.
const PACE: Duration = Duration::from_millis(50);

/// People who are in a room.
pub struct Bystanders {
    base_url: String,
    socket_url: String,
    live_id: String,
    tokens: Vec<String>,
}

/// What they noticed.
#[derive(Default)]
pub struct Verdict {
    pub calls: usize,
    pub p99: Duration,
    p50: Duration,
    longest: Duration,
    pub failures: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, p50, p99, longest, failures } = self;
        write!(
            f,
            "{calls} calls, p50 {p50:.0?}, p99 {p99:.0?}, at most {longest:.0?}, {} failed",
            failures.len()
        )
    }
}

/// How long each call took, and what failed.
#[derive(Default)]
struct Notes {
    took: Vec<Duration>,
    failures: Vec<String>,
}

impl Bystanders {
    /// Goes live, and fills the room.
    pub async fn gather(server: &ServerProcess) -> Self {
        let anchor = server.client_of("anchor").await;
        let live_id = anchor.go_live("room").await["live_id"].as_str().unwrap().to_owned();
        let mut tokens = Vec::new();
        for number in 0..VIEWERS {
            let viewer = server.client_of(&format!("viewer-{number}")).await;
            viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
            tokens.push(viewer.token().to_owned());
        }
        let port = server.setup().port();
        let (base_url, socket_url) =
            (format!("http://127.0.0.1:{port}"), format!("ws://127.0.0.1:{port}/realtime"));
        Self { base_url, socket_url, live_id, tokens }
    }

    /// Lets them call until then, on a thread of their own: attackers must not keep them from reading the clock.
    pub fn watch(self, end: Instant) -> oneshot::Receiver<Verdict> {
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ = tell.send(runtime.block_on(self.call_until(end)));
        });
        told
    }

    async fn call_until(self, end: Instant) -> Verdict {
        let callers = self.tokens.iter().enumerate().map(|(number, token)| self.call(number, token, end));
        let (mut notes, at_socket) = tokio::join!(join_all(callers), self.ping(&self.tokens[0], end));
        notes.push(at_socket);
        let mut took: Vec<_> = notes.iter().flat_map(|notes| notes.took.iter().copied()).collect();
        took.sort_unstable();
        let failures = notes.into_iter().flat_map(|notes| notes.failures).collect();
        let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
        let longest = took.last().copied().unwrap_or_default();
        Verdict { calls: took.len(), p50: at(50), p99: at(99), longest, failures }
    }

    /// Heartbeats, looks at the room and at the list, and likes, in turn. Every fourth viewer connects anew each time.
    async fn call(&self, number: usize, token: &str, end: Instant) -> Notes {
        let fresh = || Client::new(self.base_url.clone()).with_token(token);
        let mut client = fresh();
        let mut notes = Notes::default();
        for turn in number.. {
            if Instant::now() >= end {
                break;
            }
            if number.is_multiple_of(4) {
                client = fresh();
            }
            let live_id = &self.live_id;
            let path = match turn % 4 {
                0 => format!("/client/live/room/heartbeat/{live_id}"),
                1 => format!("/client/live/room/info/{live_id}"),
                2 => "/client/live/room/list".to_owned(),
                _ => format!("/client/live/room/{live_id}/like"),
            };
            let answer = match turn % 4 {
                3 => client.try_put(&path, json!({"count": 1})).await,
                _ => client.try_get(&path).await,
            };
            match answer {
                Some(answer) if answer.status == 200 => notes.took.push(answer.took),
                Some(answer) => notes.failures.push(format!("{path}: {} {}", answer.status, answer.body)),
                None => notes.failures.push(format!("{path}: no answer")),
            }
            tokio::time::sleep(PACE).await;
        }
        notes
    }

    /// One of them is connected, and stays.
    async fn ping(&self, token: &str, end: Instant) -> Notes {
        let mut socket = Socket::log_in(&self.socket_url, token).await;
        let mut notes = Notes::default();
        while Instant::now() < end {
            let asked = Instant::now();
            match socket.try_ask("ping", json!({})).await {
                Some(_) => notes.took.push(asked.elapsed()),
                None => {
                    notes.failures.push(format!("the socket was closed: {:?}", socket.closed));
                    break;
                }
            }
            socket.forget_pushes();
            // Slower: 20 requests a second are allowed.
            tokio::time::sleep(2 * PACE).await;
        }
        notes
    }
}
