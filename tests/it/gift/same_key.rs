//! One client key is one gift.

use futures_util::future::join_all;
use rstest::rstest;
use std::collections::BTreeSet;

use super::{Party, SETTLED};
use crate::support::fake_payment::Mood;
use crate::support::gift_ledgers::{agree_within, told};
use crate::support::server::Backend;

#[rstest]
#[case::embedded(Backend::Embedded, false)]
#[case::redis(Backend::Redis, false)]
#[case::unknown_at_first(Backend::Redis, true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sends_with_one_key_charge_once(#[case] backend: Backend, #[case] is_lost: bool) {
    let party = Party::begin(backend, 1).await;
    if is_lost {
        party.payer.script(3, [Mood::Reset { charges: true }]);
    }
    let (user_id, guest) = &party.guests[0];
    let mut heard = Vec::new();
    // A server that is too busy says so, or nothing; whoever was told nothing of a gift sends again.
    while heard.len() < 1000 {
        let at_once = (1000 - heard.len()).max(50);
        let sends = (0..at_once).map(|_| guest.try_post("/client/gift/send", party.gift(3, "one-key")));
        let answers = join_all(sends).await;
        let told = answers.iter().filter_map(|answer| told(user_id, "one-key", answer.as_ref()?));
        let before = heard.len();
        heard.extend(told);
        assert!(heard.len() > before, "nobody of {at_once} heard of a gift");
    }
    let told = heard;
    let ids: BTreeSet<_> = told.iter().map(|told| &told.biz_id).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let gifts = agree_within(SETTLED, party.server.database(), &party.payer, &told).await;
    assert_eq!((gifts.len(), party.payer.charged().len()), (1, 1));
    let asked = party.payer.calls().into_values().sum::<usize>();
    assert_eq!(asked, if is_lost { 2 } else { 1 }, "nobody asked beside the one who may");
}
