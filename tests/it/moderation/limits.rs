//! As many as there may be, and no more.

use liveloom::moderation::{Actor, Error, Kind, MAX_WORDS, NewSanction};
use sea_orm::ActiveValue::Set;
use sea_orm::{EntityTrait, PaginatorTrait};
use store::db::WallTime;
use store::entity::{banned_word, live_sanction};

use super::bed::{ANCHOR, Bed};

const CHUNK: usize = 1000;

fn noon() -> WallTime {
    WallTime::from_naive("2026-05-06T12:00:00".parse().unwrap())
}

/// Mutes of users who need not exist; those before `over` have ended.
async fn stock_sanctions(bed: &Bed, count: usize, over: usize) {
    let rows: Vec<_> = (0..count)
        .map(|number| live_sanction::ActiveModel {
            live_id: Set(bed.live.clone()),
            kind: Set(live_sanction::MUTE),
            user_id: Set(format!("u{number}")),
            until_ms: Set(i64::from(number < over)),
            reason: Set(String::new()),
            by_user: Set(String::new()),
            by_role: Set("server".to_owned()),
            created_at: Set(noon()),
            ..Default::default()
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        let insert = live_sanction::Entity::insert_many(chunk.to_vec());
        insert.exec_without_returning(bed.rooms.db.writer()).await.unwrap();
    }
}

#[tokio::test]
async fn a_room_has_ten_thousand_sanctions_that_hold() {
    let bed = Bed::new(true).await;
    bed.register(&["one", "two"]).await;
    stock_sanctions(&bed, 10_000, 1).await;
    // One of those that are there is over, and makes room.
    bed.impose(Kind::Ban, "one", None).await;
    let new = NewSanction::default();
    let more = bed.moderation.impose(Kind::Mute, &bed.live, ANCHOR, "two", &new).await;
    assert!(matches!(more, Err(Error::Full(_))), "{more:?}");
    bed.publish("two", "hello").await.unwrap();
    // Another one of the same user and kind takes no room.
    bed.impose(Kind::Ban, "one", Some(60)).await;
}

#[tokio::test]
async fn there_are_ten_thousand_words() {
    let bed = Bed::new(true).await;
    let max = usize::try_from(MAX_WORDS).unwrap();
    let rows: Vec<_> = (1..max)
        .map(|number| banned_word::ActiveModel {
            word: Set(format!("word{number}")),
            by_user: Set(String::new()),
            created_at: Set(noon()),
            ..Default::default()
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        let insert = banned_word::Entity::insert_many(chunk.to_vec());
        insert.exec_without_returning(bed.rooms.db.writer()).await.unwrap();
    }
    let words = bed.moderation.words();
    let two = ["x".to_owned(), "y".to_owned()];
    assert!(matches!(words.add(&two, "").await, Err(Error::Full(_))));
    assert_eq!(banned_word::Entity::find().count(bed.rooms.db.writer()).await.unwrap(), MAX_WORDS - 1);
    assert_eq!(words.add(&two[..1], "").await.unwrap(), 1);
    assert_eq!(words.add(&two[..1], "").await.unwrap(), 0);
    assert!(words.are_in("a W.O.R.D.9.9.9.9").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_has_a_hundred_moderators_however_they_come() {
    let bed = Bed::new(false).await;
    let names: Vec<String> = (0..104).map(|number| format!("m{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bed.register(&names).await;
    for name in &names[..96] {
        bed.moderation.appoint(&bed.live, Actor::Backend, name).await.unwrap();
    }
    let late = names[96..].iter().map(|name| bed.moderation.appoint(&bed.live, ANCHOR, name));
    let outcomes = futures_util::future::join_all(late).await;
    let (done, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (4, 4), "{refused:?}");
    assert!(refused.iter().all(|outcome| matches!(outcome, Err(Error::Full(_)))), "{refused:?}");
    assert_eq!(bed.moderation.rules(&bed.live).await.unwrap().moderators.len(), 100);
}
