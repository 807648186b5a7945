//! Explanations that end, by whatever way, and what the room's event log says about it.

use chrono::TimeDelta;
use liveloom::event::DomainEvent;
use rstest::rstest;
use sea_orm::ConnectionTrait;

use super::bed::{ANCHOR, Bed, LATEST, LIVE_ID, noon};
use crate::support::fake::Mood;
use crate::support::fake_pili::SavedSpan;

fn begun(item_id: &str) -> DomainEvent {
    DomainEvent::ItemDemonstrated { item_id: item_id.to_owned() }
}

fn ended(item_id: &str) -> DomainEvent {
    DomainEvent::ItemDemonstrationEnded { item_id: item_id.to_owned() }
}

#[rstest]
#[tokio::test]
async fn every_change_is_an_event(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a", "b"]).await;
    for (item_id, is_recorded) in [("a", false), ("a", true), ("b", false), ("b", false), ("a", true)] {
        bed.items.demonstrate(LIVE_ID, ANCHOR, item_id, is_recorded).await.unwrap();
    }
    bed.items.end(LIVE_ID, ANCHOR).await.unwrap();
    bed.items.end(LIVE_ID, ANCHOR).await.unwrap();
    assert!(bed.items.demonstrate(LIVE_ID, ANCHOR, "unknown", true).await.is_err());
    assert!(bed.items.demonstrate(LIVE_ID, Some("other"), "a", true).await.is_err());
    let all = [begun("a"), ended("a"), begun("b"), ended("b"), begun("a"), ended("a")];
    assert_eq!(bed.events().await, all);
    assert_eq!(bed.records().await, [("a".to_owned(), 0), ("a".to_owned(), 0)]);
}

#[rstest]
#[tokio::test]
async fn when_the_anchor_leaves_the_explanation_ends_and_is_saved(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a"]).await;
    bed.items.demonstrate(LIVE_ID, ANCHOR, "a", true).await.unwrap();
    bed.clock.advance(TimeDelta::milliseconds(61_900));
    // It is told at least once, so perhaps again.
    for _ in 0..3 {
        bed.items.end_demonstration(LIVE_ID, LATEST).await.unwrap();
        bed.clock.advance(TimeDelta::seconds(5));
    }
    assert_eq!(bed.demonstrated().await, None);
    assert_eq!(bed.events().await, [begun("a"), ended("a")]);
    let files: Vec<SavedSpan> = bed.pili.files().into_values().collect();
    let start = noon().timestamp();
    assert_eq!(files, [SavedSpan { stream: format!("live-{LIVE_ID}"), start, end: start + 61 }]);
    assert_eq!(bed.pili.calls(), 1);
    let record = bed.items.newest_record(LIVE_ID, "a").await.unwrap();
    let fname = bed.pili.files().into_keys().next().unwrap();
    assert_eq!(record.record_url, format!("https://playback.example/{fname}"));
    assert_eq!((record.start, record.end), (Some(start), Some(start + 61)));
}

/// The anchor returned before the reaction to their leave ran.
#[rstest]
#[case::another_item("b")]
#[case::the_same_item("a")]
#[tokio::test]
async fn what_began_after_the_anchor_left_goes_on(
    #[values(false, true)] is_embedded: bool,
    #[case] item_id: &str,
) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a", "b"]).await;
    bed.items.demonstrate(LIVE_ID, ANCHOR, "a", true).await.unwrap();
    let left = bed.anchor_leaves().await;
    bed.items.demonstrate(LIVE_ID, ANCHOR, item_id, true).await.unwrap();
    for _ in 0..2 {
        bed.items.end_demonstration(LIVE_ID, left).await.unwrap();
    }
    assert_eq!(bed.demonstrated().await.as_deref(), Some(item_id));
    assert_eq!(bed.events().await, [begun("a"), DomainEvent::AnchorLeft, ended("a"), begun(item_id)]);
    assert_eq!(bed.records().await, [("a".to_owned(), 0), (item_id.to_owned(), 4)]);

    bed.react_to_all().await;
    bed.items.demonstrate(LIVE_ID, ANCHOR, item_id, false).await.unwrap();
    assert_eq!(bed.events().await.len(), 4, "it goes on");
    let left = bed.anchor_leaves().await;
    bed.items.end_demonstration(LIVE_ID, left).await.unwrap();
    assert_eq!(bed.demonstrated().await, None);
    assert_eq!(bed.events().await.last(), Some(&ended(item_id)));
}

#[rstest]
#[tokio::test]
async fn a_deleted_room_explains_nothing(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    bed.stock(&["a"]).await;
    bed.items.demonstrate(LIVE_ID, ANCHOR, "a", true).await.unwrap();
    let delete = "UPDATE live_entities SET deleted_at = '2026-05-06 20:00:00', status = 2";
    bed.db.writer().execute_unprepared(delete).await.unwrap();
    bed.items.end_demonstration(LIVE_ID, LATEST).await.unwrap();
    assert_eq!(bed.events().await, [begun("a"), ended("a")]);
    assert_eq!(bed.records().await, [("a".to_owned(), 0)]);
    bed.items.end_demonstration("0", LATEST).await.unwrap();
    assert_eq!(bed.events().await.len(), 2);
}

/// As after a crash between the end of a recording and its saving.
#[rstest]
#[tokio::test]
async fn what_waits_to_be_saved_is_saved_by_the_next_end(#[values(false, true)] is_embedded: bool) {
    let bed = Bed::new(is_embedded).await;
    let left = format!(
        "INSERT INTO item_demonstrate_log (live_id, item_id, start, `end`, status) VALUES \
         ('{LIVE_ID}', 'a', '2026-05-06 19:00:00', '2026-05-06 19:30:00', 1), \
         ('{LIVE_ID}', 'b', '2026-05-06 19:30:00', '2026-05-06 19:40:00', 1), \
         ('{LIVE_ID}', 'c', '2026-05-06 19:40:00', '2026-05-06 19:50:00', 3), \
         ('another', 'd', '2026-05-06 19:00:00', '2026-05-06 19:30:00', 1)"
    );
    bed.db.writer().execute_unprepared(&left).await.unwrap();
    bed.pili.set_mood(Mood::Status(500));
    bed.items.end_demonstration("another", LATEST).await.unwrap();
    bed.pili.set_mood(Mood::Well);
    let newest = bed.items.end(LIVE_ID, ANCHOR).await.unwrap().expect("a recording");
    assert_eq!((newest.item_id.as_str(), newest.end), ("b", Some(noon().timestamp() - 1200)));
    let states = bed.records().await;
    assert_eq!(states, [("a".to_owned(), 0), ("b".to_owned(), 0), ("c".to_owned(), 3)]);
    assert_eq!((bed.pili.files().len(), bed.pili.calls()), (2, 3));
    assert!(bed.items.end(LIVE_ID, ANCHOR).await.unwrap().is_none());
    assert_eq!(bed.events().await, [], "nothing was explained");
}
