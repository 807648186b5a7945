//! Whether all ledgers of gifts say the same: the payment service's, the rows, the events, the
//! statistics, and what senders were told. And senders, who make and remember them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Row;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Client};
use super::database::TestDatabase;
use super::fake_payment::FakePayment;
use super::wait::wait_until;

/// A row of `live_gift`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftLine {
    pub biz_id: String,
    pub live_id: String,
    pub user_id: String,
    pub anchor_id: String,
    pub gift_id: i64,
    pub amount: i64,
    pub status: i64,
    pub client_key: String,
    pub flag: String,
    pub asks: i64,
}

/// What a sender was told at last about the gift of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub user_id: String,
    pub key: String,
    pub biz_id: String,
    /// 0 unknown, 1 paid, 2 refused.
    pub status: i64,
    pub code: i64,
}

/// The rows of a query whose columns are texts, past the server.
pub async fn rows<const N: usize>(database: &TestDatabase, sql: &str) -> Vec<[String; N]> {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    if database.schema().is_empty() {
        let rows = sqlx::query(sql).fetch_all(&mut database.sqlite().await).await.unwrap();
        rows.iter().map(|row| std::array::from_fn(|at| row.get::<String, _>(at))).collect()
    } else {
        let rows = sqlx::query(sql).fetch_all(&mut database.mysql().await).await.unwrap();
        rows.iter().map(|row| std::array::from_fn(|at| row.get::<String, _>(at))).collect()
    }
}

/// All rows of `live_gift`.
pub async fn gifts(database: &TestDatabase) -> Vec<GiftLine> {
    let sql = "SELECT biz_id, live_id, user_id, anchor_id, CAST(gift_id AS CHAR), CAST(amount AS CHAR), \
               CAST(status AS CHAR), COALESCE(client_key, ''), COALESCE(flag, ''), CAST(asks AS CHAR) \
               FROM live_gift ORDER BY id";
    let number = |text: &str| text.parse().unwrap();
    let lines = rows::<10>(database, sql).await.into_iter().map(|row| {
        let [biz_id, live_id, user_id, anchor_id, gift_id, amount, status, client_key, flag, asks] = row;
        GiftLine {
            biz_id,
            live_id,
            user_id,
            anchor_id,
            gift_id: number(&gift_id),
            amount: number(&amount),
            status: number(&status),
            client_key,
            flag,
            asks: number(&asks),
        }
    });
    lines.collect()
}

/// Waits until no gift is without an outcome, and then finds all ledgers equal.
pub async fn agree_within(
    limit: Duration,
    database: &TestDatabase,
    payer: &FakePayment,
    told: &[Told],
) -> Vec<GiftLine> {
    wait_until("every gift has its outcome", limit, async || {
        rows::<1>(database, "SELECT biz_id FROM live_gift WHERE status = 0 LIMIT 1").await.is_empty()
    })
    .await;
    agree(database, payer, told).await
}

/// Panics unless all ledgers say the same of every gift that has its outcome:
/// charged by `payer` ⇔ status 1 ⇔ exactly one event `gift_sent` with this gift; the statistics are the
/// sums of what was paid and not refunded; no client key has two gifts; and what senders were `told`
/// holds. A gift that was charged but still waits is an error as well. Answers the rows.
pub async fn agree(database: &TestDatabase, payer: &FakePayment, told: &[Told]) -> Vec<GiftLine> {
    let gifts = gifts(database).await;
    let paid: BTreeSet<&str> = in_status(&gifts, 1);
    let charged = payer.charged();
    let charged: BTreeSet<&str> = charged.iter().map(String::as_str).collect();
    assert_eq!(charged, paid, "what the payment service charged (left) is what is paid (right)");
    let refused = in_status(&gifts, 2);
    let decided = payer.decisions();
    for (biz_id, decision) in decided.iter().filter(|(_, decision)| decision.refusal.is_some()) {
        assert!(refused.contains(biz_id.as_str()), "{biz_id} was refused: {decision:?}");
    }
    assert_events(database, &gifts).await;
    assert_statistics(database, &gifts).await;
    assert_keys(&gifts);
    let by_id: BTreeMap<&str, &GiftLine> = gifts.iter().map(|gift| (gift.biz_id.as_str(), gift)).collect();
    for told in told {
        let gift = by_id.get(told.biz_id.as_str());
        assert_told(told, gift.unwrap_or_else(|| panic!("{told:?} has no row")));
    }
    gifts
}

fn in_status(gifts: &[GiftLine], status: i64) -> BTreeSet<&str> {
    gifts.iter().filter(|gift| gift.status == status).map(|gift| gift.biz_id.as_str()).collect()
}

async fn assert_events(database: &TestDatabase, gifts: &[GiftLine]) {
    let sql = "SELECT live_id, body FROM event_log WHERE kind = 'gift_sent'";
    let mut events: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
    for [live_id, body] in rows::<2>(database, sql).await {
        let body: Value = serde_json::from_str(&body).unwrap();
        events.entry(body["biz_id"].as_str().unwrap().to_owned()).or_default().push((live_id, body));
    }
    for gift in gifts.iter().filter(|gift| gift.status == 1) {
        let found = events.remove(&gift.biz_id).unwrap_or_default();
        let [(live_id, body)] = found.as_slice() else { panic!("{gift:?} has the events {found:?}") };
        let expected = json!({
            "biz_id": gift.biz_id, "user_id": gift.user_id, "live_id": gift.live_id, "anchor_id": gift.anchor_id,
            "gift_id": gift.gift_id, "amount": gift.amount, "status": 1,
        });
        assert_eq!((live_id, body), (&gift.live_id, &expected));
    }
    assert!(events.is_empty(), "announced though it is not paid: {events:?}");
}

async fn assert_statistics(database: &TestDatabase, gifts: &[GiftLine]) {
    let refunds = "SELECT refund_of FROM gift_correction WHERE refund_of IS NOT NULL";
    let refunded: BTreeSet<String> =
        rows::<1>(database, refunds).await.into_iter().map(|[biz_id]| biz_id).collect();
    let mut expected: BTreeMap<[String; 3], i64> = BTreeMap::new();
    for gift in gifts.iter().filter(|gift| gift.status == 1) {
        let counted = if refunded.contains(&gift.biz_id) { 0 } else { gift.amount };
        let key = [gift.live_id.clone(), gift.user_id.clone(), gift.anchor_id.clone()];
        *expected.entry(key).or_default() += counted;
    }
    let sql = "SELECT live_id, user_id, biz_id, CAST(count AS CHAR) FROM stats_single_live WHERE type = 7";
    let mut counted = BTreeMap::new();
    for [live_id, user_id, biz_id, count] in rows::<4>(database, sql).await {
        let former = counted.insert([live_id, user_id, biz_id], count.parse::<i64>().unwrap());
        assert_eq!(former, None, "a count has two rows");
    }
    assert_eq!(counted, expected, "the statistics (left) are what is paid (right)");
}

fn assert_keys(gifts: &[GiftLine]) {
    let keys: Vec<&str> =
        gifts.iter().map(|gift| gift.client_key.as_str()).filter(|key| !key.is_empty()).collect();
    let distinct: BTreeSet<&str> = keys.iter().copied().collect();
    assert_eq!(keys.len(), distinct.len(), "one client key has two gifts");
}

fn assert_told(told: &Told, gift: &GiftLine) {
    assert_eq!(gift.user_id, told.user_id, "{told:?}");
    if told.status != 0 {
        assert_eq!(gift.status, told.status, "{told:?} but {gift:?}");
    }
}

/// What an answer to a send tells; None when it tells nothing of a gift (5xx, 429).
pub fn told(user_id: &str, key: &str, answer: &Answer) -> Option<Told> {
    let data = &answer.body["data"];
    let biz_id = data["biz_id"].as_str()?.to_owned();
    assert!([200, 402].contains(&answer.status), "{answer:?}");
    let code = answer.body["code"].as_i64().unwrap();
    let status = data["status"].as_i64().unwrap();
    assert_eq!(code == 0, status == 1, "only a paid gift is a success: {answer:?}");
    Some(Told { user_id: user_id.to_owned(), key: key.to_owned(), biz_id, status, code })
}

/// Senders that send gifts of their own until they are told to stop, each under a new key, and repeat a
/// send under its key until they hear an outcome or what they hear is that there is none yet.
pub struct Senders {
    told: Arc<Mutex<Vec<Told>>>,
    count: watch::Sender<usize>,
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Senders {
    /// Starts a sender for each of `users` (their ids, and clients with their tokens). They must be in
    /// the live room `live_id`; `gift_id` must be a gift of any amount.
    pub fn start(users: Vec<(String, Vec<Client>)>, live_id: &str, gift_id: i64) -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let stop = CancellationToken::new();
        let count = watch::Sender::new(0);
        let tasks = users.into_iter().map(|(user_id, nodes)| {
            let sender = Sender {
                user_id,
                nodes,
                live_id: live_id.to_owned(),
                gift_id,
                told: Arc::clone(&told),
                count: count.clone(),
                stop: stop.clone(),
            };
            tokio::spawn(sender.run())
        });
        Self { tasks: tasks.collect(), told, count, stop }
    }

    /// How many gifts they have heard of.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Follows [`Senders::count`].
    pub fn counting(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Lets them finish what they are about, and answers all that they were told.
    pub async fn stop(self) -> Vec<Told> {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        let told = self.told.lock().unwrap();
        told.clone()
    }
}

struct Sender {
    user_id: String,
    /// The same user at each node; a repeat goes to the next one.
    nodes: Vec<Client>,
    live_id: String,
    gift_id: i64,
    told: Arc<Mutex<Vec<Told>>>,
    count: watch::Sender<usize>,
    stop: CancellationToken,
}

impl Sender {
    async fn run(self) {
        let mut tries = 0;
        for number in 1_i64.. {
            let key = format!("{}-{number}", self.user_id);
            let body = json!({
                "live_id": self.live_id, "gift_id": self.gift_id, "amount": number % 1000 + 1, "biz_id": key,
            });
            // Once begun, a send is repeated until something is heard, also after the stop.
            let heard = loop {
                let node = &self.nodes[tries % self.nodes.len()];
                tries += 1;
                let answer = node.try_post("/client/gift/send", body.clone()).await;
                if let Some(told) = answer.and_then(|answer| told(&self.user_id, &key, &answer)) {
                    break told;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            self.told.lock().unwrap().push(heard);
            self.count.send_modify(|count| *count += 1);
            if self.stop.is_cancelled() {
                return;
            }
        }
    }
}
