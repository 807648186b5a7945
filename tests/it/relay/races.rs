//! Starts and stops at the same time.

use futures_util::future::join_all;
use liveloom::event::DomainEvent;
use liveloom::relay::Error;
use rstest::rstest;

use super::{bound, start};
use crate::support::rooms::Rooms;

const ROOMS: usize = 8;

async fn anchors(rooms: &Rooms) -> Vec<(String, String)> {
    let mut anchors = Vec::new();
    for number in 0..ROOMS {
        let anchor = format!("anchor{number}");
        let live = rooms.live(&anchor).await;
        anchors.push((anchor, live));
    }
    anchors
}

/// Who calls whom, of 64 calls: everybody calls everybody in turn.
fn pair(number: usize) -> (usize, usize) {
    let init = number % ROOMS;
    (init, (init + 1 + (number / ROOMS) % (ROOMS - 1)) % ROOMS)
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_starts_over_the_same_rooms_each_room_gets_one(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let anchors = anchors(&rooms).await;
    let as_pair = |(anchor, live): &'_ (String, String)| (anchor.clone(), live.clone());
    for round in 0..4 {
        let starts = (0..64).map(|number| {
            let (init, recv) = pair(number + round * 3);
            let (init, recv) = (as_pair(&anchors[init]), as_pair(&anchors[recv]));
            let rooms = &rooms;
            async move { start(rooms, (&init.0, &init.1), (&recv.0, &recv.1)).await }
        });
        let mut won = Vec::new();
        for outcome in join_all(starts).await {
            match outcome {
                Ok(pk) => won.push(pk.relay_id),
                Err(Error::Busy(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        let held = bound(&rooms).await;
        assert_eq!(held.len(), won.len() * 2, "{held:?}");
        assert!((1..=ROOMS / 2).contains(&won.len()));
        for (live_id, sid) in &held {
            assert_eq!(rooms.lives.view(live_id).await.unwrap().pk_id, *sid);
        }
        // Both anchors of each PK stop it, at the same time as each other and as new starts.
        let stops = held.iter().map(|(live_id, sid)| {
            let anchor = anchors.iter().find(|(_, live)| live == live_id).unwrap();
            rooms.relays.stop(sid, &anchor.0)
        });
        let (init, recv) = (&anchors[0], &anchors[1]);
        let (stopped, again) =
            tokio::join!(join_all(stops), start(&rooms, (&init.0, &init.1), (&recv.0, &recv.1)));
        stopped.into_iter().for_each(Result::unwrap);
        let held = bound(&rooms).await;
        assert_eq!(held.len(), if again.is_ok() { 2 } else { 0 });
        if let Ok(pk) = again {
            rooms.relays.stop(&pk.relay_id, &init.0).await.unwrap();
        }
        assert!(bound(&rooms).await.is_empty());
    }
    assert_announced_once_each(&rooms, &anchors).await;
}

/// Every PK was started once and stopped once, in the lane of its initiator alone.
async fn assert_announced_once_each(rooms: &Rooms, anchors: &[(String, String)]) {
    for (anchor, live) in anchors {
        let mut running: Option<String> = None;
        for event in rooms.events(live).await {
            match event {
                DomainEvent::PkStarted { relay } => {
                    assert_eq!((&relay.init_user_id, &relay.init_room_id, relay.status), (anchor, live, 1));
                    assert_eq!(running.replace(relay.sid), None);
                }
                DomainEvent::PkStopped { relay } => {
                    assert_eq!((relay.status, relay.stop_at.is_some()), (6, true));
                    assert_eq!(running.take(), Some(relay.sid));
                }
                _ => {}
            }
        }
        assert_eq!(running, None);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_races_with_the_end_of_a_room_binds_nobody(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    for round in 0..16 {
        let (one, other) = (format!("one{round}"), format!("other{round}"));
        let (one_live, other_live) = (rooms.live(&one).await, rooms.live(&other).await);
        let start = start(&rooms, (&one, &one_live), (&other, &other_live));
        let ending = if round % 2 == 0 { (&one, &one_live) } else { (&other, &other_live) };
        let end = async {
            if round % 4 < 2 {
                rooms.lives.stop(ending.1, ending.0).await.unwrap();
            } else {
                rooms.lives.delete(ending.1, Some(ending.0)).await.unwrap();
            }
            // As the reaction to the event does, which may come before the start was answered.
            rooms.relays.room_ended(ending.1).await.unwrap();
        };
        let (started, ()) = tokio::join!(start, end);
        let refusal =
            matches!(started, Ok(_) | Err(Error::NotLive(_) | Error::Live(liveloom::live::Error::NotFound)));
        assert!(refusal, "{started:?}");
        assert!(bound(&rooms).await.is_empty(), "round {round}");
        rooms.relays.room_ended(ending.1).await.unwrap();
        let survivor = if round % 2 == 0 { &other_live } else { &one_live };
        assert_eq!(rooms.lives.view(survivor).await.unwrap().pk_id, "");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_both_sides_at_once_lead_to_four(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (one, other) = (rooms.live("one").await, rooms.live("other").await);
    for _ in 0..8 {
        let pk = start(&rooms, ("one", &one), ("other", &other)).await.unwrap();
        let sid = pk.relay_id.as_str();
        let reports = (0..8)
            .map(|number| rooms.relays.report_started(sid, if number % 2 == 0 { "one" } else { "other" }));
        for report in join_all(reports).await {
            assert!((2..=4).contains(&report.unwrap().relay_status));
        }
        let found = rooms.relays.find(sid).await.unwrap();
        assert_eq!((found.status, found.start_at.is_some()), (4, true));
        rooms.relays.stop(sid, "other").await.unwrap();
    }
}
