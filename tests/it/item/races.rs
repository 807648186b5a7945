//! Many callers at once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use liveloom::event::DomainEvent;
use liveloom::item::{Error, NewItem, RecordStatus};
use rstest::rstest;

use super::bed::{ANCHOR, Bed, LATEST, LIVE_ID, new_item};
use crate::support::fake::Mood;
use crate::support::wait::wait_until;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_adds_never_pass_the_limit_or_repeat_an_order(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let adds = (0..16).map(|caller| {
        let items = bed.items.clone();
        tokio::spawn(async move {
            let mut added = Vec::new();
            for turn in 0..6 {
                // Some are added by several callers.
                let ids = [format!("{caller}-{turn}"), format!("shared-{turn}-{}", caller % 4)];
                let new: Vec<NewItem> = ids.iter().map(|id| new_item(id)).collect();
                match items.add(LIVE_ID, ANCHOR, &new).await {
                    Ok(()) => added.extend(ids),
                    Err(Error::Exists | Error::Exceeded) => {}
                    Err(error) => panic!("{error:?}"),
                }
                if turn == 3 {
                    let gone: Vec<String> = added.drain(..added.len() / 2).collect();
                    items.delete(LIVE_ID, None, &gone).await.unwrap();
                }
            }
            added
        })
    });
    let added = join_all(adds.collect::<Vec<_>>()).await.into_iter().flat_map(Result::unwrap);
    let added: Vec<String> = added.collect();
    let listed = bed.items.list(LIVE_ID, None).await.unwrap();
    let ids: BTreeSet<String> = listed.iter().map(|item| item.item_id.clone()).collect();
    assert_eq!(ids, added.iter().cloned().collect(), "what was said yes to is there, and only that");
    assert_eq!((ids.len(), added.len()), (listed.len(), listed.len()), "none is there twice");
    assert!(listed.len() <= 100);
    assert!(listed.is_sorted_by(|one, other| one.order > other.order), "no order is there twice");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_explanations_leave_one_and_save_every_recording(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a", "b", "c", "d"]).await;
    bed.pili.set_mood(Mood::Slow(Duration::from_millis(20)));
    let callers = ["a", "b", "c", "d"].map(|id| {
        let items = bed.items.clone();
        tokio::spawn(async move {
            for turn in 0..5 {
                items.demonstrate(LIVE_ID, ANCHOR, id, turn % 2 == 0).await.unwrap();
                if turn == 3 {
                    items.end_demonstration(LIVE_ID, LATEST).await.unwrap();
                }
            }
        })
    });
    for caller in callers {
        caller.await.unwrap();
    }
    let mut shown = None;
    for event in bed.events().await {
        match event {
            DomainEvent::ItemDemonstrated { item_id } => {
                assert_eq!(shown.replace(item_id), None, "one at a time");
            }
            DomainEvent::ItemDemonstrationEnded { item_id } => assert_eq!(shown.take(), Some(item_id)),
            other => panic!("{other:?}"),
        }
    }
    assert!(shown.is_some());
    assert_eq!(bed.demonstrated().await, shown);
    assert!(bed.records().await.iter().filter(|(_, status)| *status == 4).count() <= 1);
    bed.items.end(LIVE_ID, ANCHOR).await.unwrap();
    let records = bed.records().await;
    assert_eq!(records.len(), 12);
    assert!(records.iter().all(|(_, status)| *status == 0), "{records:?}");
}

/// Both answer with the recording, whoever of them ended it.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_ends_tell_the_same_recording(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a"]).await;
    for mood in [Mood::Well, Mood::Status(500)] {
        bed.items.demonstrate(LIVE_ID, ANCHOR, "a", true).await.unwrap();
        bed.pili.set_mood(mood);
        let ends = join_all((0..4).map(|_| bed.items.end(LIVE_ID, ANCHOR))).await;
        let told: Vec<_> = ends.into_iter().filter_map(Result::unwrap).collect();
        assert!(!told.is_empty());
        assert!(told.iter().all(|record| *record == told[0]), "{told:?}");
    }
    assert_eq!(bed.records().await, [("a".to_owned(), 0), ("a".to_owned(), 3)]);
}

/// Two calls save the same recording; the one that gives up last must not spoil it.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saving_that_fails_late_leaves_what_was_saved(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a"]).await;
    bed.items.demonstrate(LIVE_ID, ANCHOR, "a", true).await.unwrap();
    bed.pili.set_mood(Mood::Slow(Duration::from_secs(60)));
    let items = bed.items.clone();
    let slow = tokio::spawn(async move { items.end(LIVE_ID, ANCHOR).await.unwrap() });
    wait_until("the first call is under way", Duration::from_secs(20), async || bed.pili.calls() == 1).await;
    bed.pili.set_mood(Mood::Well);
    bed.items.end_demonstration(LIVE_ID, LATEST).await.unwrap();
    assert_eq!(bed.records().await, [("a".to_owned(), 0)]);
    let told = slow.await.unwrap().expect("a recording");
    assert_eq!(told.status, RecordStatus::Done);
    assert_eq!(bed.records().await, [("a".to_owned(), 0)]);
}
