//! The database stores a gift, and its answer is lost.

use std::time::Duration;

use rstest::rstest;
use sqlx::Executor;

use super::{Party, SETTLED};
use crate::support::gift_ledgers::{agree_within, told};
use crate::support::server::Backend;

#[rstest]
#[case::with_a_key(true)]
#[case::without(false)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_that_may_have_been_stored_is_not_said_to_be_unsent(#[case] has_key: bool) {
    let party = Party::begin(Backend::Redis, 1).await;
    let (user_id, guest) = party.guests[0].clone();
    // The first one makes the look-ups warm: what follows needs the table alone.
    let first = guest.post("/client/gift/send", party.gift(9, "first")).await;
    let first = told(&user_id, "first", &first).unwrap();

    let mut body = party.gift(9, "second");
    if !has_key {
        body.as_object_mut().unwrap().remove("biz_id");
    }
    let mut other = party.server.database().mysql().await;
    other.execute("LOCK TABLES live_gift WRITE").await.unwrap();
    let begun = std::time::Instant::now();
    let answer = guest.post("/client/gift/send", body.clone()).await;
    assert!(begun.elapsed() > Duration::from_secs(1), "the server waited for its answer");
    other.execute("UNLOCK TABLES").await.unwrap();

    let mut all = vec![first];
    if has_key {
        // The gift of a key may be another call's: the same again brings the outcome.
        assert_eq!(answer.status, 503, "{answer:?}");
        let again = guest.post("/client/gift/send", body).await;
        all.push(told(&user_id, "second", &again).unwrap());
        let rows = agree_within(SETTLED, party.server.database(), &party.payer, &all).await;
        assert_eq!(rows.len(), 2, "one key, one gift");
    } else {
        let second = told(&user_id, "second", &answer).expect("the id under which it is settled");
        assert_eq!((second.status, second.code), (0, 20002));
        // Whether or not the statement was carried out, both sides agree in the end.
        agree_within(SETTLED, party.server.database(), &party.payer, &all).await;
    }
}
