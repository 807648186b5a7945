//! Several who end one gift at once: nodes, a frozen caller, an operator.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use liveloom::gift::payment::{Answer, Refusal};
use liveloom::gift::{AttemptBy, Corrected, Error, GiftStatus, RetryPolicy, SendGiftFor, Verdict};
use rstest::rstest;
use store::db::Db;

use crate::support::database::TestDatabase;
use crate::support::fake_payment::{FakePayment, Mood};
use crate::support::fence::{FormerLeader, Leader};
use crate::support::gift_bed::{ANY, Node, any, quick};
use crate::support::gift_ledgers::{GiftLine, agree, gifts, rows};
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(30);
const BY_ROOT: Corrected<'_> = Corrected { operator: "root", reason: "asked the bank" };

/// A node with a live room in which `guest` is, and its payment service.
struct Bed {
    database: TestDatabase,
    payer: FakePayment,
    node: Node,
    live_id: String,
}

impl Bed {
    async fn new(is_embedded: bool, policy: RetryPolicy) -> Self {
        let database = if is_embedded { TestDatabase::embedded() } else { TestDatabase::create().await };
        let payer = FakePayment::start().await;
        let node = Node::start(database.migrated().await, 1, &payer.config(), policy).await;
        let live_id = node.live_room(&["guest"]).await;
        Self { database, payer, node, live_id }
    }

    /// Sends a gift about which nobody knows anything; its id.
    async fn send_unknown(&self, amount: i32, charges: bool) -> String {
        self.payer.script(amount.into(), [Mood::Status { status: 500, charges }]);
        let sent = self.node.gifts.send("guest", any(&self.live_id, amount), None).await;
        let Err(Error::Unpaid { biz_id, status: GiftStatus::Waiting, .. }) = sent else { panic!("{sent:?}") };
        biz_id
    }

    async fn line(&self, biz_id: &str) -> GiftLine {
        gifts(&self.database).await.into_iter().find(|gift| gift.biz_id == biz_id).unwrap()
    }
}

fn refused() -> Answer {
    Answer::Refused(Refusal { code: 9, message: "no".to_owned() })
}

/// The right to ask about the one gift that is due.
async fn claim(node: &Node) -> liveloom::gift::Claim {
    let mut claims = Vec::new();
    wait_until("the gift is due", LIMIT, async || {
        claims = node.gifts.ledger().claim_due(&Leader, 10).await.unwrap();
        !claims.is_empty()
    })
    .await;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_settle_at_once_ask_and_announce_once() {
    // On a busy machine asking about all of them takes longer than a short lease.
    let policy = RetryPolicy { every: Duration::from_millis(1), lease: Duration::from_secs(60), ..quick() };
    let bed = Bed::new(false, policy).await;
    for amount in 1..=40 {
        bed.send_unknown(amount, amount % 2 == 0).await;
    }
    let other = Node::start(bed.database.connect().await, 2, &bed.payer.config(), policy).await;
    wait_until("all are settled", LIMIT, async || {
        join_all([bed.node.settle_due(), other.settle_due(), bed.node.settle_due(), other.settle_due()])
            .await;
        gifts(&bed.database).await.iter().all(|gift| gift.status == 1)
    })
    .await;
    agree(&bed.database, &bed.payer, &[]).await;
    let often: BTreeMap<_, _> = bed.payer.calls().into_iter().filter(|(_, calls)| *calls != 2).collect();
    assert!(often.is_empty(), "asked by the sender and once by a node: {often:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_caller_writes_no_refusal_late(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded, RetryPolicy { lease: Duration::from_millis(50), ..quick() }).await;
    let biz_id = bed.send_unknown(5, true).await;
    let ledger = bed.node.gifts.ledger();
    let frozen = claim(&bed.node).await;
    // Its time runs out, and another one asks.
    let current = claim(&bed.node).await;
    assert_eq!(current.ask, frozen.ask + 1);
    let gift = ledger.record(&frozen, &refused(), AttemptBy::Settle, Some(&Leader)).await.unwrap();
    assert_eq!(gift.status, GiftStatus::Waiting);
    assert_eq!(bed.line(&biz_id).await.status, 0);
    let gift = ledger.record(&current, &Answer::Paid, AttemptBy::Settle, Some(&Leader)).await.unwrap();
    assert_eq!(gift.status, GiftStatus::Paid);
    // The frozen one hears the same, and changes nothing.
    let gift = ledger.record(&frozen, &Answer::Paid, AttemptBy::Settle, Some(&Leader)).await.unwrap();
    assert_eq!((gift.status, gift.flag), (GiftStatus::Paid, None));
    agree(&bed.database, &bed.payer, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_leader_writes_nothing() {
    let bed = Bed::new(true, RetryPolicy { lease: Duration::from_millis(50), ..quick() }).await;
    let biz_id = bed.send_unknown(5, true).await;
    let ledger = bed.node.gifts.ledger();
    assert!(matches!(ledger.claim_due(&FormerLeader, 1).await, Err(Error::LeaseLost(_))));
    let claimed = claim(&bed.node).await;
    for answer in [Answer::Paid, refused()] {
        let late = ledger.record(&claimed, &answer, AttemptBy::Settle, Some(&FormerLeader)).await;
        assert!(matches!(late, Err(Error::LeaseLost(_))), "{late:?}");
    }
    assert_eq!(bed.line(&biz_id).await.status, 0);
    wait_until("the new leader settles", LIMIT, async || bed.node.settle_due().await == 1).await;
    agree(&bed.database, &bed.payer, &[]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_answer_after_a_refusal_is_flagged_and_an_operator_pays_it(
    #[values(true, false)] is_embedded: bool,
) {
    let bed = Bed::new(is_embedded, quick()).await;
    let biz_id = bed.send_unknown(5, true).await;
    let ledger = bed.node.gifts.ledger();
    let claimed = claim(&bed.node).await;
    ledger.resolve(&biz_id, Verdict::Refused, BY_ROOT).await.unwrap();
    let gift = ledger.record(&claimed, &Answer::Paid, AttemptBy::Settle, Some(&Leader)).await.unwrap();
    assert_eq!(gift.status, GiftStatus::Refused);
    let line = bed.line(&biz_id).await;
    assert!(line.status == 2 && line.flag.contains("paid after the refusal"), "{line:?}");

    let gift = ledger.resolve(&biz_id, Verdict::Paid, BY_ROOT).await.unwrap();
    assert_eq!(gift.status, GiftStatus::Paid);
    assert_eq!(agree(&bed.database, &bed.payer, &[]).await[0].flag, "");
    let again = ledger.resolve(&biz_id, Verdict::Paid, BY_ROOT).await;
    assert!(matches!(again, Err(Error::State(_))), "{again:?}");
    let acts =
        rows::<3>(&bed.database, "SELECT kind, operator, reason FROM gift_correction ORDER BY id").await;
    assert_eq!(acts.iter().map(|[kind, ..]| kind.as_str()).collect::<Vec<_>>(), ["refused", "paid"]);
    assert!(acts[1][1] == "root" && acts[1][2].contains("asked the bank (flag: "), "{acts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_after_the_payment_is_flagged_and_confirmed() {
    let bed = Bed::new(true, quick()).await;
    let biz_id = bed.send_unknown(5, true).await;
    let ledger = bed.node.gifts.ledger();
    let claimed = claim(&bed.node).await;
    ledger.resolve(&biz_id, Verdict::Paid, BY_ROOT).await.unwrap();
    ledger.record(&claimed, &refused(), AttemptBy::Settle, Some(&Leader)).await.unwrap();
    let line = bed.line(&biz_id).await;
    assert!(line.status == 1 && line.flag.contains("refused with code 9 after it was paid"), "{line:?}");
    let refused = ledger.resolve(&biz_id, Verdict::Refused, BY_ROOT).await;
    assert!(matches!(refused, Err(Error::State(_))), "{refused:?}");
    ledger.resolve(&biz_id, Verdict::Paid, BY_ROOT).await.unwrap();
    assert_eq!(agree(&bed.database, &bed.payer, &[]).await[0].flag, "");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_races_with_the_job_pays_once(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded, quick()).await;
    for amount in 1..=12 {
        let biz_id = bed.send_unknown(amount, true).await;
        let claimed = claim(&bed.node).await;
        let ledger = bed.node.gifts.ledger();
        let (settled, resolved) = tokio::join!(
            ledger.record(&claimed, &Answer::Paid, AttemptBy::Settle, Some(&Leader)),
            ledger.resolve(&biz_id, Verdict::Paid, BY_ROOT),
        );
        assert_eq!(settled.unwrap().status, GiftStatus::Paid);
        assert!(matches!(resolved, Ok(_) | Err(Error::State(_))), "{resolved:?}");
    }
    let all = agree(&bed.database, &bed.payer, &[]).await;
    assert!(all.iter().all(|gift| gift.status == 1 && gift.flag.is_empty()), "{all:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_is_refunded_once(#[values(true, false)] is_embedded: bool) {
    let bed = Bed::new(is_embedded, quick()).await;
    let gifts = &bed.node.gifts;
    let kept = gifts.send("guest", any(&bed.live_id, 30), None).await.unwrap();
    let taken = gifts.send("guest", any(&bed.live_id, 12), None).await.unwrap();
    let waiting = bed.send_unknown(5, false).await;
    let ledger = gifts.ledger();
    let tries = (0..8).map(|_| ledger.refund(&taken.biz_id, BY_ROOT));
    let tries = join_all(tries).await;
    assert_eq!(tries.iter().filter(|tried| tried.is_ok()).count(), 1, "{tries:?}");
    assert!(tries.iter().all(|tried| matches!(tried, Ok(_) | Err(Error::State(_)))), "{tries:?}");
    assert!(matches!(ledger.refund(&waiting, BY_ROOT).await, Err(Error::State(_))));
    assert!(matches!(ledger.refund("nobody's", BY_ROOT).await, Err(Error::NoGift)));
    ledger.resolve(&waiting, Verdict::Refused, BY_ROOT).await.unwrap();
    agree(&bed.database, &bed.payer, &[]).await;
    let sum = "SELECT CAST(count AS CHAR) FROM stats_single_live WHERE type = 7";
    assert_eq!(rows::<1>(&bed.database, sum).await, [["30".to_owned()]], "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redo_asks_again_unless_somebody_asks_just_now() {
    // Nobody asks by themselves for an hour.
    let policy = RetryPolicy { every: Duration::from_secs(3600), lease: Duration::from_secs(60), ..quick() };
    let bed = Bed::new(false, policy).await;
    let order = |redo| SendGiftFor {
        biz_id: "mine-1".to_owned(),
        user_id: "guest".to_owned(),
        gift_id: Some(ANY),
        kind: None,
        amount: 8,
        redo,
    };
    let put = |redo| bed.node.gifts.send_for(&bed.live_id, ANY, order(redo));
    bed.payer.script(
        8,
        [Mood::Status { status: 500, charges: true }, Mood::Status { status: 503, charges: true }],
    );
    for redo in [false, false, true] {
        let sent = put(redo).await;
        assert!(matches!(sent, Err(Error::Unpaid { status: GiftStatus::Waiting, .. })), "{sent:?}");
    }
    assert_eq!(bed.payer.calls()["mine-1"], 2, "the first call and the redo");
    let both = join_all([put(true), put(true), put(true), put(true)]).await;
    assert!(both.iter().any(Result::is_ok), "{both:?}");
    assert_eq!(bed.payer.calls()["mine-1"], 3, "one of them asked");
    assert_eq!(put(true).await.unwrap().status, 1);
    assert_eq!(put(false).await.unwrap().biz_id, "mine-1");
    assert_eq!(bed.payer.calls()["mine-1"], 3, "a final outcome is repeated");
    agree(&bed.database, &bed.payer, &[]).await;
}

/// As an old installation has it: 'A' = 'a'.
async fn compare_like_an_old_installation(db: &Db) {
    use sea_orm::ConnectionTrait;
    let sql = "ALTER TABLE live_gift CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";
    db.writer().execute_unprepared(sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_compared_byte_by_byte_on_an_adopted_table() {
    let bed = Bed::new(false, quick()).await;
    compare_like_an_old_installation(&bed.node.db).await;
    bed.node.users.register(liveloom::user::Register::bare("GUEST")).await.unwrap();
    bed.node.lives.join(&bed.live_id, "GUEST").await.unwrap();
    let key = |text| liveloom::gift::ClientKey::parse(text).ok();
    let mut ids = std::collections::BTreeSet::new();
    for (user_id, key) in [("guest", key("k")), ("GUEST", key("k")), ("guest", key("K")), ("GUEST", key("K"))]
    {
        let sent = bed.node.gifts.send(user_id, any(&bed.live_id, 2), key).await.unwrap();
        assert_eq!(sent.user_id, user_id);
        ids.insert(sent.biz_id);
    }
    assert_eq!(ids.len(), 4, "another user's key, and another key, is another gift");
    let order = |biz_id: &str| SendGiftFor {
        biz_id: biz_id.to_owned(),
        user_id: "guest".to_owned(),
        gift_id: Some(ANY),
        kind: None,
        amount: 3,
        redo: false,
    };
    bed.node.gifts.send_for(&bed.live_id, ANY, order("abc")).await.unwrap();
    let taken = bed.node.gifts.send_for(&bed.live_id, ANY, order("ABC")).await;
    assert!(matches!(taken, Err(Error::OtherContent(_))), "{taken:?}");
    assert!(matches!(bed.node.gifts.find("ABC", None).await, Err(Error::NoGift)));
    let paging = common::page::Paging { num: 1, size: 10 };
    assert_eq!(bed.node.gifts.given("GUEST", paging).await.unwrap().total_count, 2);
    agree(&bed.database, &bed.payer, &[]).await;
}
