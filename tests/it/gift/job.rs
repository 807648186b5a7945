//! The job that settles gifts: many asks at once, none of which waits for another.

use std::sync::Arc;
use std::time::Duration;

use config::GiftConfig;
use liveloom::gift::{Error, GiftStatus, Pace};
use liveloom::jobs::lease::LeaderLease;
use liveloom::jobs::schedule::Job;
use liveloom::jobs::settle_gifts::SettleGifts;
use prometheus::Registry;

use crate::support::database::TestDatabase;
use crate::support::fake_payment::{FakePayment, Mood};
use crate::support::gift_bed::{Node, any, quick};
use crate::support::wait::wait_until;

/// How long a call may hang: longer than any of these tests waits.
const HANGS_S: u64 = 120;
const SOON: Duration = Duration::from_secs(30);
/// The amount of the gift whose call hangs.
const HANGING: i32 = 7;

/// A node with a gift whose next call hangs and others behind it.
struct Bed {
    payer: FakePayment,
    node: Node,
    live_id: String,
    lease: Arc<LeaderLease>,
    _database: TestDatabase,
}

impl Bed {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let payer = FakePayment::start().await;
        let config = GiftConfig { timeout_s: HANGS_S, ..payer.config() };
        let pace = Pace { lease: Duration::from_secs(HANGS_S + 10), ..quick() };
        let node = Node::start(database.migrated().await, 1, &config, pace).await;
        let live_id = node.live_room(&["guest"]).await;
        let lease =
            LeaderLease::new(node.db.clone(), 1, 1, "host/b/n/1/1/0".into(), Duration::from_secs(600));
        assert!(lease.tick().await.unwrap());
        let bed = Self { payer, node, live_id, lease: Arc::new(lease), _database: database };
        let broken = Mood::Status { status: 500, charges: false };
        bed.payer.script(HANGING.into(), [broken, Mood::Hang { charges: false }]);
        bed.leave_unknown(HANGING).await;
        bed
    }

    /// A gift that is to be asked about again. The payment service is well again then.
    async fn leave_unknown(&self, amount: i32) {
        self.payer.set(Mood::Status { status: 500, charges: false });
        let sent = self.node.gifts.send("guest", any(&self.live_id, amount), None).await;
        assert!(matches!(sent, Err(Error::Unpaid { status: GiftStatus::Waiting, .. })), "{sent:?}");
        self.payer.set(Mood::Well);
    }

    fn job(&self, every: Duration) -> SettleGifts {
        let gifts = self.node.gifts.clone();
        SettleGifts::new(gifts, Arc::clone(&self.lease), every, &Registry::new()).unwrap()
    }

    async fn is_charged(&self, count: usize) -> bool {
        self.payer.charged().len() == count
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_hangs_holds_up_no_other_gift() {
    let bed = Bed::new().await;
    for _ in 0..80 {
        bed.leave_unknown(5).await;
    }
    let mut job = bed.job(Duration::from_secs(HANGS_S));
    let run = tokio::spawn(async move { job.run().await });
    wait_until("all others are paid", SOON, async || bed.is_charged(80).await).await;
    assert!(!run.is_finished(), "the one still hangs");
    run.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_in_time_and_the_next_one_goes_on_beside_a_call_that_hangs() {
    let bed = Bed::new().await;
    let mut job = bed.job(Duration::from_millis(500));
    for paid in 1..=2 {
        bed.leave_unknown(5).await;
        let runs = async {
            while !bed.is_charged(paid).await {
                job.run().await.unwrap();
            }
        };
        tokio::time::timeout(SOON, runs).await.expect("no run waits for the call");
    }
}
