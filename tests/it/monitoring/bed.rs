//! A server whose metrics are exported, and a little of everything that people do on it.

use serde_json::json;

use crate::support::callback_receiver::{PLAIN_SECRET, Receiver, SECRET};
use crate::support::client::Client;
use crate::support::realtime::Socket;
use crate::support::server::{Backend, ServerProcess, Setup, free_port};

/// A server with a live room and a viewer in it, who is connected.
pub struct Bed {
    server: ServerProcess,
    exporter: u16,
    live_id: String,
    viewer: Client,
    socket: Socket,
    _receiver: Receiver,
}

impl Bed {
    /// Over a MySQL with a copy and Redis, or without any of them.
    pub async fn start(backend: Backend) -> Self {
        let (receiver, exporter) = (Receiver::start().await, free_port());
        let setup = match backend {
            Backend::Embedded => Setup::new(backend).await,
            Backend::Redis | Backend::RedisCluster => Setup::new(backend).await.reading_from_itself(),
        };
        let port = setup.port();
        let setup = setup.with(&format!(
            "prome: {{client_mode: exporter, exporter_config: {{listen_addr: '127.0.0.1:{exporter}'}}}}\n\
             gift: {{gift_addr: 'http://127.0.0.1:{port}/manager/gift/test'}}\n\
             callback: {{addr: '{}', secrets: ['{SECRET}', '{PLAIN_SECRET}']}}",
            receiver.addr()
        ));
        let server = setup.start().await;
        let gift = json!({"gift_id": 1, "name": "any", "amount": 0});
        assert_eq!(server.client().post("/server/gift/config", gift).await.status, 200);
        let live_id = server.client_of("anchor").await.go_live("watched").await;
        let live_id = live_id["live_id"].as_str().unwrap().to_owned();
        let viewer = server.client_of("viewer").await;
        viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
        let url = format!("ws://127.0.0.1:{port}/realtime");
        let mut socket = Socket::log_in(&url, viewer.token()).await;
        socket.follow(&format!("room:{live_id}")).await;
        Self { server, exporter, live_id, viewer, socket, _receiver: receiver }
    }

    /// `host:port` of the exporter.
    pub fn exporter(&self) -> String {
        format!("127.0.0.1:{}", self.exporter)
    }

    /// What the exporter says.
    pub async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.exporter());
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    /// A little of everything.
    pub async fn live_on(&mut self) {
        let Self { live_id, viewer, socket, server, .. } = self;
        let room = format!("/client/live/room/user/{live_id}");
        viewer.get(&format!("/client/live/room/heartbeat/{live_id}")).await.data();
        viewer.put(&format!("/client/live/room/{live_id}/like"), json!({"count": 2})).await.data();
        let gift = json!({"live_id": live_id, "gift_id": 1, "amount": 5});
        viewer.post("/client/gift/send", gift).await.data();
        socket.say(&format!("room:{live_id}"), "hello").await;
        socket.next_of("liveroom-pubchat").await;
        let other = server.client_of("other").await;
        other.post(&room, json!({})).await.data();
        other.delete(&room).await.data();
        assert_eq!(server.client().get("/readyz").await.status, 200);
        assert_eq!(server.client().get("/client/live/room/list").await.status, 401);
    }
}
