//! A server, and users who are connected to it.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::realtime::Socket;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};

/// A server.
pub struct Bed {
    pub server: ServerProcess,
    pub client: Client,
    metrics: u16,
}

impl Bed {
    pub async fn start(backend: Backend, yaml: &str) -> Self {
        Self::of(Setup::new(backend).await.with(yaml)).await
    }

    /// A server that was set up.
    pub async fn of(setup: Setup) -> Self {
        let metrics = free_port();
        let exporter = format!("{{client_mode: exporter, exporter_config: {{{}}}}}", listens(metrics));
        Self::run(setup.with(&format!("prome: {exporter}")), metrics).await
    }

    /// Another node over the same database and cache.
    pub async fn beside(&self, node_id: u16) -> Self {
        self.beside_as(self.setup().beside(node_id)).await
    }

    /// As [`Bed::beside`], with settings of its own.
    pub async fn beside_as(&self, setup: Setup) -> Self {
        let metrics = free_port();
        Self::run(setup.replacing(&listens(self.metrics), &listens(metrics)), metrics).await
    }

    async fn run(setup: Setup, metrics: u16) -> Self {
        let server = setup.start().await;
        let client = server.client();
        Self { server, client, metrics }
    }

    pub fn setup(&self) -> &Setup {
        self.server.setup()
    }

    /// `ws://…/realtime`.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/realtime", self.setup().port())
    }

    /// A user, and their connection.
    pub async fn user(&self, user_id: &str) -> (Client, Socket) {
        let client = self.client.log_in(user_id).await;
        let socket = Socket::log_in(&self.url(), client.token()).await;
        (client, socket)
    }

    /// The live room of an anchor: its id and channel.
    pub async fn room(&self, anchor: &Client) -> (String, String) {
        let live_id = anchor.go_live("room").await["live_id"].as_str().unwrap().to_owned();
        let channel = format!("room:{live_id}");
        (live_id, channel)
    }

    /// A viewer in a room who follows it.
    pub async fn viewer(&self, user_id: &str, live_id: &str) -> (Client, Socket) {
        let (client, mut socket) = self.user(user_id).await;
        join(&client, live_id).await;
        socket.follow(&format!("room:{live_id}")).await;
        (client, socket)
    }

    /// The value of a metric, given as its line begins; 0 when it is not there.
    pub async fn metric(&self, name: &str) -> i64 {
        let page = reqwest::get(format!("http://127.0.0.1:{}/metrics", self.metrics)).await.unwrap();
        let text = page.text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }
}

fn listens(metrics: u16) -> String {
    format!("listen_addr: '127.0.0.1:{metrics}'")
}

/// Goes into a room.
pub async fn join(user: &Client, live_id: &str) {
    user.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
}

/// Leaves a room.
pub async fn leave(user: &Client, live_id: &str) {
    user.delete(&format!("/client/live/room/user/{live_id}")).await.data();
}

/// The next push, but for the beginning of the live, of which rooms are told a moment after it.
pub async fn next_but_start(socket: &mut Socket) -> Value {
    loop {
        let push = socket.next_push().await;
        if push["pub"]["action"] != "live_started" {
            return push;
        }
    }
}

/// What a push carries of a message.
pub fn said(push: &Value) -> (&str, &Value) {
    (push["pub"]["from"].as_str().unwrap_or_default(), &push["pub"]["data"])
}
