//! A payment service that fails in every way, before and after it took the money.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;

use super::{Party, SETTLED};
use crate::support::fake_payment::Mood;
use crate::support::gift_ledgers::{Senders, agree_within, told};
use crate::support::server::Backend;

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_payment_service_does_the_ledgers_agree_at_the_end(#[case] backend: Backend) {
    let party = Party::begin(backend, 1).await;
    let (user_id, guest) = &party.guests[0];
    let moods = Mood::unknown();
    // Each fault has an amount of its own, and comes twice.
    for (amount, mood) in (100..).zip(&moods) {
        party.payer.script(amount, [mood.clone(), mood.clone()]);
    }
    let sends = (100..).zip(&moods).map(|(amount, mood)| {
        let key = format!("k{amount}");
        (party.gift(amount, &key), key, mood)
    });
    let sends = sends.map(|(gift, key, mood)| async move {
        let answer = guest.post("/client/gift/send", gift).await;
        assert_eq!((answer.status, &answer.body["code"]), (402, &20002.into()), "{mood:?}: {answer:?}");
        assert_eq!(answer.body["message"], "PayGift Failure");
        let told = told(user_id, &key, &answer).unwrap();
        assert_eq!(told.status, 0);
        told
    });
    let told_first = join_all(sends).await;
    let gifts = agree_within(SETTLED, party.server.database(), &party.payer, &told_first).await;
    assert_eq!(gifts.len(), moods.len());
    assert!(gifts.iter().all(|gift| gift.status == 1 && gift.asks >= 2 && gift.flag.is_empty()), "{gifts:?}");

    // A repeat is answered with what became of it, and is not asked about again.
    let asked = party.payer.calls();
    for told_first in &told_first {
        let amount = told_first.key[1..].parse().unwrap();
        let answer = guest.post("/client/gift/send", party.gift(amount, &told_first.key)).await;
        let told = told(user_id, &told_first.key, &answer).unwrap();
        assert_eq!((told.status, &told.biz_id), (1, &told_first.biz_id));
    }
    assert_eq!(party.payer.calls(), asked);
    assert!(party.payer.request_ids().iter().all(|id| (1..=64).contains(&id.len())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_after_faults_is_a_refusal() {
    let party = Party::begin(Backend::Embedded, 1).await;
    let (user_id, guest) = &party.guests[0];
    let refuse = Mood::Refuse { code: 4711, message: "no money".to_owned() };
    party.payer.script(5, [Mood::Status { status: 500, charges: false }, refuse]);
    let answer = guest.post("/client/gift/send", party.gift(5, "k")).await;
    let first = told(user_id, "k", &answer).unwrap();
    assert_eq!((first.status, first.code), (0, 20002));
    let gifts = agree_within(SETTLED, party.server.database(), &party.payer, &[first]).await;
    assert_eq!(gifts[0].status, 2);
    let again = guest.post("/client/gift/send", party.gift(5, "k")).await;
    assert_eq!(
        (again.status, &again.body["code"], &again.body["message"]),
        (402, &4711.into(), &"no money".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_who_hangs_up_leaves_no_gift_behind() {
    let party = Party::begin(Backend::Embedded, 1).await;
    party.payer.script(7, [Mood::Slow(Duration::from_millis(600))]);
    let (_, guest) = &party.guests[0];
    let impatient = guest.post("/client/gift/send", party.gift(7, "k"));
    assert!(tokio::time::timeout(Duration::from_millis(200), impatient).await.is_err());
    let gifts = agree_within(SETTLED, party.server.database(), &party.payer, &[]).await;
    assert_eq!((gifts.len(), gifts[0].status, gifts[0].asks), (1, 1, 1), "the answer was read: {gifts:?}");
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_whose_server_is_killed_again_and_again(#[case] backend: Backend) {
    let mut party = Party::begin(backend, 4).await;
    // Senders count their amounts up, so that each fault is met once.
    for (amount, mood) in (2..).zip(Mood::unknown()) {
        party.payer.script(amount, [mood]);
    }
    let users = party.guests.iter().map(|(id, client)| (id.clone(), vec![client.clone()])).collect();
    let senders = Senders::start(users, &party.live_id, super::ANY);
    for kills in 1..=3 {
        crate::support::wait::wait_until("gifts are sent", SETTLED, async || senders.count() >= kills * 20)
            .await;
        party.server.kill();
        party.server.start().await;
    }
    let told = senders.stop().await;
    let gifts = agree_within(SETTLED, party.server.database(), &party.payer, &told).await;
    assert!(told.len() >= 60 && gifts.len() >= told.len(), "{} told, {} gifts", told.len(), gifts.len());
}
