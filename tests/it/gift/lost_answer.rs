//! The database stores a gift, and its answer is lost.

use std::time::Duration;

use sqlx::Executor;

use super::{Party, SETTLED};
use crate::support::gift_ledgers::{agree_within, told};
use crate::support::server::Backend;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_that_may_have_been_stored_is_not_said_to_be_unsent() {
    let party = Party::begin(Backend::Redis, 1).await;
    let (user_id, guest) = party.guests[0].clone();
    // The first one makes the look-ups warm: what follows needs the table alone.
    let first = guest.post("/client/gift/send", party.gift(9, "first")).await;
    let first = told(&user_id, "first", &first).unwrap();

    let mut other = party.server.database().mysql().await;
    other.execute("LOCK TABLES live_gift WRITE").await.unwrap();
    let begun = std::time::Instant::now();
    let answer = guest.post("/client/gift/send", party.gift(9, "second")).await;
    assert!(begun.elapsed() > Duration::from_secs(1), "the server waited for its answer");
    other.execute("UNLOCK TABLES").await.unwrap();

    let second = told(&user_id, "second", &answer).expect("the id under which it is settled");
    assert_eq!((second.status, second.code), (0, 20002));
    // Whether or not the statement was carried out, both sides agree in the end.
    let rows = agree_within(SETTLED, party.server.database(), &party.payer, &[first]).await;
    let stored = rows.iter().any(|row| row.biz_id == second.biz_id);
    let again = guest.post("/client/gift/send", party.gift(9, "second")).await;
    let again = told(&user_id, "second", &again).unwrap();
    assert_eq!(again.status, 1);
    assert_eq!(again.biz_id == second.biz_id, stored, "one key, one gift");
    agree_within(SETTLED, party.server.database(), &party.payer, &[again]).await;
}
