//! The cluster with the services around it, and a room in which everything happens.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use testbed::{Cluster, Plan};

use super::{bed, leader, runs};
use crate::support::callback_receiver::Receiver;
use crate::support::client::Client;
use crate::support::database::{Server, TestDatabase};
use crate::support::fake_payment::FakePayment;
use crate::support::load::World;

/// A gift type of any amount; the load has another one.
const GIFT: i64 = 2;

/// Where the drills take place.
pub struct Stage {
    pub cluster: Cluster,
    pub world: World,
    /// Live from the beginning to the end.
    pub live_id: String,
    /// A viewer of it, through nginx.
    pub guest: Client,
    pub gift_id: i64,
}

impl Stage {
    pub async fn set() -> Self {
        let (payer, receiver) = (FakePayment::start().await, Receiver::start().await);
        let mut plan = Plan::new(env!("CARGO_BIN_EXE_liveloom"));
        plan.lease_s = leader::LEASE_S;
        plan.server_keys = Some(bed::server_keys());
        let log = format!("log: {{filter: '{}'}}", runs::FILTER);
        // The answer to a leader that sleeps for three leases is not late.
        let world =
            World::settings(&payer, &receiver).replace("timeout_s: 1, secret", "timeout_s: 20, secret");
        plan.overlay = [world, log, "realtime: {drain_s: 3}".to_owned()].join("\n");
        let cluster = Cluster::start(plan).await.unwrap();
        let primary = cluster.primary();
        let account = primary.account().to_owned();
        let server = Server {
            host: primary.addr.ip().to_string(),
            port: primary.addr.port(),
            user: account.clone(),
            password: account.clone(),
        };
        let database = Arc::new(TestDatabase::existing(server, account));
        let entrance = bed::client_at(cluster.nginx_addr());
        let world = World::new(vec![entrance.clone()], database, payer, receiver).await;
        let gift = json!({"gift_id": GIFT, "name": "of the stage", "amount": 0});
        assert_eq!(entrance.post("/server/gift/config", gift).await.status, 200);
        let live = entrance.log_in("host").await.go_live("the stage").await;
        let live_id = live["live_id"].as_str().unwrap().to_owned();
        let mut stage = Self { cluster, world, live_id, guest: entrance, gift_id: GIFT };
        stage.guest = stage.guest("guest").await;
        stage
    }

    /// Another viewer, through nginx.
    pub async fn guest(&self, user_id: &str) -> Client {
        let guest = self.world.entrances[0].log_in(user_id).await;
        guest.post(&format!("/client/live/room/user/{}", self.live_id), json!({})).await.data();
        guest
    }

    /// Where logs are, for those who look for a cause.
    pub fn folder(&self) -> &Path {
        self.cluster.folder()
    }
}
