//! A server, and users who are connected to it.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::realtime::Socket;
use crate::support::server::{Backend, ServerProcess, Setup};

/// A server.
pub struct Bed {
    pub server: ServerProcess,
    pub client: Client,
    port: u16,
}

impl Bed {
    pub async fn start(backend: Backend, yaml: &str) -> Self {
        Self::of(Setup::new(backend).await.with(yaml)).await
    }

    /// Another server beside one that was set up.
    pub async fn of(setup: Setup) -> Self {
        let port = setup.port();
        let server = setup.start().await;
        let client = server.client();
        Self { server, client, port }
    }

    /// `ws://…/realtime`.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/realtime", self.port)
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
        client.post(&format!("/client/live/room/user/{live_id}"), Value::Null).await.data();
        socket.result("subscribe", json!({"channel": format!("room:{live_id}")})).await;
        (client, socket)
    }
}
