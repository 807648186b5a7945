//! Gifts without a server around them: the services over a database of the test's own, as many nodes as
//! wanted, and no job that runs by itself.

use std::sync::Arc;
use std::time::Duration;

use config::{Current, GiftConfig};
use liveloom::auth::WebhookSigner;
use liveloom::gift::payment::Payment;
use liveloom::gift::{self, GiftTypes, Gifts, Ledger, Metrics, Pace, SaveGiftType, SendGift};
use liveloom::live::{CreateRoom, Lives};
use liveloom::user::{Register, Users};
use serde_json::json;
use store::db::Db;

use super::fence::Leader;
use super::services::{Needs, Services};

/// A gift type of any amount.
pub const ANY: i32 = 1;

/// One node.
pub struct Node {
    pub db: Db,
    pub users: Users,
    pub lives: Lives,
    pub gifts: Gifts,
}

impl Node {
    /// Node `node_id` over `db`, whose tables are there, paying where `config` says, at `pace`.
    pub async fn start(db: Db, node_id: u16, config: &GiftConfig, pace: Pace) -> Self {
        let Services { cache, clock, ids, users, lives, .. } =
            Services::over(&db, Needs { node_id, ..Needs::default() }).await;
        let gifts = Gifts::new(gift::Parts {
            db: db.clone(),
            ids,
            users: users.clone(),
            lives: lives.clone(),
            types: GiftTypes::new(db.clone(), cache, Arc::clone(&clock)),
            ledger: Ledger::new(db.clone(), Arc::clone(&clock), pace, Metrics::new().unwrap()),
            payment: Payment::new(
                config,
                Current::fixed(WebhookSigner::new(std::slice::from_ref(&config.secret))),
                clock,
            )
            .unwrap(),
            unpaid_status: config.unpaid_status,
        });
        Self { db, users, lives, gifts }
    }

    /// A live room with the gift type [`ANY`] and `viewers` in it, who exist.
    pub async fn live_room(&self, viewers: &[&str]) -> String {
        for user_id in viewers.iter().chain(&["anchor"]) {
            self.users.register(Register::bare(user_id)).await.unwrap();
        }
        let any: SaveGiftType = serde_json::from_value(json!({"gift_id": ANY, "name": "any"})).unwrap();
        self.gifts.types().save(&[any]).await.unwrap();
        let room: CreateRoom = serde_json::from_value(json!({"title": "t"})).unwrap();
        let live_id = self.lives.create("anchor", room).await.unwrap().live_id;
        self.lives.start(&live_id, "anchor").await.unwrap();
        for user_id in viewers {
            self.lives.join(&live_id, user_id).await.unwrap();
        }
        live_id
    }

    /// Asks about all gifts whose time has come, once each.
    pub async fn settle_due(&self) -> usize {
        let claims = self.gifts.ledger().claim_due(&Leader, 16).await.unwrap();
        let count = claims.len();
        let asked = claims.into_iter().map(|claim| self.gifts.settle(claim, &Leader));
        futures_util::future::join_all(asked).await;
        count
    }
}

/// A gift of any amount.
pub fn any(live_id: &str, amount: i32) -> SendGift {
    SendGift { live_id: live_id.to_owned(), gift_id: ANY, amount, biz_id: None }
}

/// Everything happens within moments; nobody gives up.
pub fn quick() -> Pace {
    Pace {
        every: Duration::from_millis(20),
        lease: Duration::from_millis(1500),
        give_up: Duration::from_secs(3600),
    }
}
