//! What must hold when all is settled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::gift_ledgers::{GiftLine, agree_within, rows};
use super::super::wait::wait_until;
use super::anchors::Noted;
use super::likers::Given;
use super::{Done, SETTLED, World};

/// The kinds of events of which callbacks tell.
const TOLD: &str = "'live_created', 'live_started', 'live_stopped', 'live_deleted', 'pk_started', \
                    'pk_stopped', 'gift_sent'";

/// Waits until all is settled, and panics unless all ledgers agree.
pub async fn agree(world: &World, done: &Done) {
    let gifts = agree_within(SETTLED, world.database(), &world.payer, &done.told).await;
    assert_keys(&gifts, done);
    no_room_is_bound(world).await;
    assert_noted(world, &done.noted).await;
    all_is_told(world).await;
    assert_gifts_told(world, &gifts);
    likes_agree(world, &done.likes).await;
    let flagged: Vec<_> = gifts.iter().filter(|gift| !gift.flag.is_empty()).collect();
    assert!(flagged.is_empty(), "nobody lied about these: {flagged:?}");
}

/// Each sender went on until it heard of the gift of its key: so many keys, so many gifts, and no two
/// keys have the same.
fn assert_keys(gifts: &[GiftLine], done: &Done) {
    let heard: BTreeSet<_> = done.told.iter().map(|told| &told.biz_id).collect();
    assert_eq!(heard.len(), done.told.len(), "two keys have one gift");
    let unheard: Vec<_> =
        gifts.iter().filter(|gift| !gift.client_key.is_empty() && !heard.contains(&gift.biz_id)).collect();
    assert!(unheard.is_empty(), "a key has another gift than its sender was told: {unheard:?}");
}

/// All PKs are over, since all rooms of pairs are.
async fn no_room_is_bound(world: &World) {
    let sql = "SELECT live_id FROM live_entities WHERE COALESCE(pk_id, '') <> '' \
               UNION ALL SELECT sid FROM relay_sessions WHERE status < 5";
    let is_over = async || rows::<1>(world.database(), sql).await.is_empty();
    wait_until("no room is bound, and no PK runs", SETTLED, is_over).await;
}

/// What was acknowledged happened, and happened once.
async fn assert_noted(world: &World, noted: &[Noted]) {
    let sql = format!(
        "SELECT live_id, kind, CAST(COUNT(*) AS CHAR) FROM event_log WHERE kind IN ({TOLD}) \
         AND kind <> 'gift_sent' GROUP BY live_id, kind"
    );
    let mut happened = BTreeMap::new();
    for [live_id, kind, count] in rows::<3>(world.database(), &sql).await {
        assert_eq!(count, "1", "{kind} of {live_id}");
        happened.insert((live_id, kind), ());
    }
    for note in noted {
        let key = (note.live_id.clone(), note.kind.to_owned());
        assert!(happened.contains_key(&key), "{note:?} was acknowledged, and did not happen");
    }
}

/// Every event is taken, and, but for those that stepped out, in the order of its room.
async fn all_is_told(world: &World) {
    let sql = format!(
        "SELECT live_id, CAST(seq AS CHAR) FROM event_log WHERE kind IN ({TOLD}) ORDER BY live_id, seq"
    );
    let events = numbers(rows::<2>(world.database(), &sql).await);
    wait_until("every event is told", SETTLED, async || {
        world.let_callbacks_rest_no_longer().await;
        let taken = world.receiver.taken_of_all();
        let counts = |rooms: &BTreeMap<String, Vec<i64>>| rooms.values().map(Vec::len).sum::<usize>();
        counts(&taken) == counts(&events)
    })
    .await;
    let aside = stepped_out(world).await;
    let taken = world.receiver.taken_of_all();
    for (live_id, expected) in &events {
        let aside = aside.get(live_id).cloned().unwrap_or_default();
        let in_lane =
            |seqs: &[i64]| -> Vec<i64> { seqs.iter().filter(|seq| !aside.contains(seq)).copied().collect() };
        assert_eq!(in_lane(&taken[live_id]), in_lane(expected), "the order of {live_id}");
        let all: BTreeSet<i64> = taken[live_id].iter().copied().collect();
        assert_eq!(all, expected.iter().copied().collect(), "the events of {live_id}");
    }
}

/// The events that stepped out of their rooms' lanes: by the table, or because the receiver had refused
/// them three times when it was told of a later one. Of these the table knows nothing when the node was
/// killed before it could note it, and the next one told them in the lane.
async fn stepped_out(world: &World) -> BTreeMap<String, BTreeSet<i64>> {
    let sql = "SELECT live_id, CAST(seq AS CHAR) FROM callback_delivery";
    let noted = numbers(rows::<2>(world.database(), sql).await).into_iter();
    let mut aside: BTreeMap<_, BTreeSet<i64>> =
        noted.map(|(live_id, seqs)| (live_id, seqs.into_iter().collect())).collect();
    let mut refused: BTreeMap<String, BTreeMap<i64, u32>> = BTreeMap::new();
    for call in world.receiver.calls() {
        let of_room = refused.entry(call.live_id.clone()).or_default();
        let passed = of_room.range(..call.seq).filter(|(_, times)| **times >= 3).map(|(seq, _)| *seq);
        aside.entry(call.live_id.clone()).or_default().extend(passed);
        if call.taken {
            of_room.remove(&call.seq);
        } else {
            *of_room.entry(call.seq).or_default() += 1;
        }
    }
    aside
}

fn numbers(rows: Vec<[String; 2]>) -> BTreeMap<String, Vec<i64>> {
    let mut numbers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for [live_id, seq] in rows {
        numbers.entry(live_id).or_default().push(seq.parse().unwrap());
    }
    numbers
}

/// Each paid gift is told under one id, and no other gift.
fn assert_gifts_told(world: &World, gifts: &[GiftLine]) {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in world.receiver.calls().into_iter().filter(|call| call.kind == "gift_send") {
        let biz_id = call.body["biz_id"].as_str().unwrap().to_owned();
        ids.entry(biz_id).or_default().insert(call.webhook_id);
    }
    let often: Vec<_> = ids.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(often.is_empty(), "gifts that were told twice: {often:?}");
    let paid: BTreeSet<_> = gifts.iter().filter(|gift| gift.status == 1).map(|gift| &gift.biz_id).collect();
    assert_eq!(ids.keys().collect::<BTreeSet<_>>(), paid, "what is told (left) is what is paid (right)");
}

/// Of each viewer no acknowledged like is missing and no like is counted that was not given, in the
/// cache and, when it is written, in the table.
async fn likes_agree(world: &World, likes: &[Given]) {
    let mut totals: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for given in likes {
        let viewer = world.entrances[0].log_in(&given.user_id).await;
        let path = format!("/client/live/room/{}/like", given.live_id);
        let like = viewer.put(&path, json!({"count": 1})).await.data();
        let (mine, total) = (like["count"].as_i64().unwrap(), like["total"].as_i64().unwrap());
        assert!((given.surely..=given.surely + given.in_doubt).contains(&(mine - 1)), "{mine}: {given:?}");
        let of_room = totals.entry(&given.live_id).or_default();
        *of_room = (of_room.0 + mine, total);
        counts.insert([given.live_id.clone(), given.user_id.clone()], mine);
    }
    // The last total of a room has the last likes of all of its viewers.
    assert!(totals.values().all(|(sum, total)| sum == total), "{totals:?}");
    let sql = "SELECT live_id, user_id, CAST(count AS CHAR) FROM stats_single_live WHERE type = 6";
    wait_until("all likes are written", SETTLED, async || {
        let written = rows::<3>(world.database(), sql).await.into_iter();
        // Others may like other rooms.
        let written = written.filter(|[live_id, ..]| totals.contains_key(live_id.as_str()));
        let written = written.map(|[live_id, user_id, count]| ([live_id, user_id], count.parse().unwrap()));
        written.collect::<BTreeMap<_, i64>>() == counts
    })
    .await;
}
