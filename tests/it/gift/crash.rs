//! The server is killed at every marked step of a gift's way.

use common::crash::POINTS;
use rstest::rstest;

use super::{Party, SETTLED};
use crate::support::fake_payment::Mood;
use crate::support::gift_ledgers::{agree_within, gifts, told};
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_for;

#[test]
fn every_step_is_tested() {
    let marked: Vec<_> =
        POINTS.iter().filter(|step| step.starts_with("gift.") || step.starts_with("settle.")).collect();
    assert_eq!(marked.len(), SEND.len() + SETTLE.len(), "{marked:?}");
    assert!(SEND.iter().chain(&SETTLE).all(|step| POINTS.contains(step)));
}

const SEND: [&str; 4] = ["gift.claimed", "gift.answered", "gift.ending", "gift.ended"];
const SETTLE: [&str; 4] = ["settle.claimed", "settle.answered", "settle.ending", "settle.ended"];

/// Kills the server at `step` of the first gift, starts it again, and repeats the send.
async fn killed_at(backend: Backend, step: &str, moods: Vec<Mood>) {
    let is_refused = moods.iter().any(|mood| matches!(mood, Mood::Refuse { .. }));
    let mut party = Party::of(Setup::new(backend).await.crashing_at(step), 1).await;
    party.payer.script(9, moods);
    let (user_id, guest) = party.guests[0].clone();
    let body = party.gift(9, "the-key");
    let first = guest.try_post("/client/gift/send", body.clone()).await;
    let heard = first.and_then(|answer| told(&user_id, "the-key", &answer));
    assert_eq!(heard.is_some(), step.starts_with("settle."), "{step}: {heard:?}");
    party.server.crashed(SETTLED).await;
    assert_eq!(gifts(party.server.database()).await.len(), 1, "the row was committed before the call");

    party.server.start().await;
    let outcome = wait_for("the sender hears the outcome", SETTLED, async || {
        let answer = guest.try_post("/client/gift/send", body.clone()).await?;
        told(&user_id, "the-key", &answer).filter(|told| told.status != 0)
    })
    .await;
    assert_eq!(outcome.status, if is_refused { 2 } else { 1 }, "{step}");
    let told: Vec<_> = heard.into_iter().chain([outcome]).collect();
    let gifts = agree_within(SETTLED, party.server.database(), &party.payer, &told).await;
    assert_eq!(gifts.len(), 1, "one key, one gift");
    assert_eq!(gifts[0].flag, "");
}

fn refuse() -> Mood {
    Mood::Refuse { code: 11, message: "no".to_owned() }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_that_is_killed_ends_well(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
    #[values("gift.claimed", "gift.answered", "gift.ending", "gift.ended")] step: &str,
) {
    killed_at(backend, step, Vec::new()).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settling_that_is_killed_ends_well(
    #[values(Backend::Embedded, Backend::Redis)] backend: Backend,
    #[values("settle.claimed", "settle.answered", "settle.ending", "settle.ended")] step: &str,
) {
    // The money was taken, and nobody heard of it.
    killed_at(backend, step, vec![Mood::Reset { charges: true }]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_is_killed_ends_well(
    #[values("gift.answered", "gift.ending", "gift.ended")] step: &str,
) {
    killed_at(Backend::Redis, step, vec![refuse()]).await;
}
