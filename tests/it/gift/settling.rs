//! When gifts are asked about again, and when nobody does any more.

use std::time::Duration;

use chrono::Utc;
use liveloom::gift::{Error, GiftStatus, Pace};
use rstest::rstest;
use sea_orm::ConnectionTrait;

use crate::support::database::TestDatabase;
use crate::support::fake_payment::{FakePayment, Mood};
use crate::support::gift_bed::{Node, any, quick};
use crate::support::gift_ledgers::{agree, gifts, rows};
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(30);

async fn waiting(node: &Node, live_id: &str) -> String {
    let sent = node.gifts.send("guest", any(live_id, 5), None).await;
    let Err(Error::Unpaid { biz_id, status: GiftStatus::Waiting, .. }) = sent else { panic!("{sent:?}") };
    biz_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_that_is_given_up_waits_for_an_operator() {
    let database = TestDatabase::create().await;
    let payer = FakePayment::start().await;
    payer.set(Mood::Status { status: 500, charges: false });
    let pace = Pace { give_up: Duration::from_secs(2), ..quick() };
    let node = Node::start(database.migrated().await, 1, &payer.config(), pace).await;
    let live_id = node.live_room(&["guest"]).await;
    let biz_id = waiting(&node, &live_id).await;
    let ledger = node.gifts.ledger();
    let open = ledger.count_open().await.unwrap();
    assert_eq!((open.waiting, open.given_up), (1, 0));
    wait_until("nobody asks any more", LIMIT, async || {
        node.settle_due().await;
        ledger.count_open().await.unwrap().scheduled == 0
    })
    .await;
    let open = ledger.count_open().await.unwrap();
    assert_eq!((open.waiting, open.given_up), (0, 1));
    let asked = payer.calls()[&biz_id];
    assert!(asked > 2, "{asked}");
    payer.set(Mood::Well);
    for _ in 0..5 {
        assert_eq!(node.settle_due().await, 0);
    }
    assert_eq!((payer.calls()[&biz_id], gifts(&database).await[0].status), (asked, 0), "it still waits");

    let by = liveloom::gift::Corrected { operator: "root", reason: "" };
    ledger.resolve(&biz_id, liveloom::gift::Verdict::Refused, by).await.unwrap();
    assert_eq!(ledger.count_open().await.unwrap().given_up, 0);
    assert_eq!(agree(&database, &payer, &[]).await[0].status, 2);
}

/// The leader was away, or has many others to ask about first.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_past_its_time_alerts_before_its_last_ask(#[values(false, true)] is_embedded: bool) {
    let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
    let payer = FakePayment::start().await;
    payer.set(Mood::Status { status: 500, charges: false });
    let node = Node::start(database.migrated().await, 1, &payer.config(), quick()).await;
    let live_id = node.live_room(&["guest"]).await;
    let late = waiting(&node, &live_id).await;
    waiting(&node, &live_id).await;
    let made = node.db.wall(Utc::now() - quick().give_up).naive().format("%Y-%m-%d %H:%M:%S");
    let sql = format!("UPDATE live_gift SET created_at = '{made}' WHERE biz_id = '{late}'");
    node.db.writer().execute_unprepared(&sql).await.unwrap();
    let open = node.gifts.ledger().count_open().await.unwrap();
    assert_eq!((open.scheduled, open.waiting, open.given_up), (2, 1, 1));

    payer.set(Mood::Well);
    wait_until("both are asked about, the one for the last time", LIMIT, async || {
        node.settle_due().await;
        node.gifts.ledger().count_open().await.unwrap().scheduled == 0
    })
    .await;
    assert_eq!(node.gifts.ledger().count_open().await.unwrap().given_up, 0);
    agree(&database, &payer, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_gifts_of_the_former_server_are_left_to_an_operator() {
    let database = TestDatabase::embedded();
    let payer = FakePayment::start().await;
    let node = Node::start(database.migrated().await, 1, &payer.config(), quick()).await;
    rows::<1>(
        &database,
        "INSERT INTO live_gift (biz_id, live_id, user_id, anchor_id, gift_id, amount, status) \
         VALUES ('old', '1', 'a', 'b', 3, 40, 0) RETURNING biz_id",
    )
    .await;
    assert_eq!(node.settle_due().await, 0, "nobody is charged for a gift of last year");
    assert_eq!(node.gifts.ledger().count_open().await.unwrap().given_up, 1);
    assert!(payer.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_free_without_a_payment_service() {
    for address in ["", "123", "not a url", "unix:/tmp/x"] {
        let database = TestDatabase::embedded();
        let payer = FakePayment::start().await;
        let config = config::GiftConfig { gift_addr: address.to_owned(), ..payer.config() };
        let node = Node::start(database.migrated().await, 1, &config, quick()).await;
        let live_id = node.live_room(&["guest"]).await;
        waiting(&node, &live_id).await;
        wait_until("it is asked about again", LIMIT, async || node.settle_due().await == 1).await;
        assert_eq!(gifts(&database).await[0].status, 0, "{address:?}");
        agree(&database, &payer, &[]).await;
    }
}
