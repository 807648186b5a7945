//! The money path of gifts: whatever fails whenever, the ledgers agree.

mod by_time;
mod command;
mod crash;
mod job;
mod lost_answer;
mod payer_faults;
mod races;
mod same_key;
mod settling;
mod statements;

use std::time::Duration;

use serde_json::json;

use crate::support::client::Client;
use crate::support::fake_payment::FakePayment;
use crate::support::server::{Backend, ServerProcess, Setup};

/// How long it may take until every gift has its outcome, on a busy machine.
const SETTLED: Duration = Duration::from_secs(60);

/// A gift type of any amount.
const ANY: i64 = 1;

/// A server with a payment service, a live room and people in it.
struct Party {
    server: ServerProcess,
    payer: FakePayment,
    live_id: String,
    /// Who is in the room: their ids and clients with their tokens.
    guests: Vec<(String, Client)>,
}

impl Party {
    async fn begin(backend: Backend, guests: usize) -> Self {
        Self::of(Setup::new(backend).await, guests).await
    }

    async fn of(setup: Setup, guests: usize) -> Self {
        let payer = FakePayment::start().await;
        let server = setup.with(&payer.yaml()).start().await;
        let anchor = server.client_of("anchor").await;
        let live_id = anchor.go_live("party").await["live_id"].as_str().unwrap().to_owned();
        let any = json!({"gift_id": ANY, "name": "any", "amount": 0});
        assert_eq!(server.client().post("/server/gift/config", any).await.status, 200);
        let mut invited = Vec::new();
        for number in 0..guests {
            let user_id = format!("guest-{number}");
            let client = server.client_of(&user_id).await;
            client.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
            invited.push((user_id, client));
        }
        Self { server, payer, live_id, guests: invited }
    }

    /// The body of a send.
    fn gift(&self, amount: i64, key: &str) -> serde_json::Value {
        json!({"live_id": self.live_id, "gift_id": ANY, "amount": amount, "biz_id": key})
    }
}
