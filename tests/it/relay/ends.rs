//! How a PK ends, and what it tells on the way.

use std::collections::BTreeMap;

use liveloom::event::DomainEvent;
use liveloom::relay::Error;
use rstest::rstest;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use store::entity::{live_entities, relay_sessions};

use super::{bound, start};
use crate::support::rooms::Rooms;

async fn stopped(rooms: &Rooms, live_id: &str) -> usize {
    let events = rooms.events(live_id).await;
    events.iter().filter(|event| matches!(event, DomainEvent::PkStopped { .. })).count()
}

#[rstest]
#[tokio::test]
async fn the_end_of_either_room_ends_the_pk_once(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    for (round, ends_init) in [(0, true), (1, false)] {
        let (one, other) = (format!("one{round}"), format!("other{round}"));
        let (init, recv) = (rooms.live(&one).await, rooms.live(&other).await);
        let pk = start(&rooms, (&one, &init), (&other, &recv)).await.unwrap();
        let (ended, anchor, survivor) = if ends_init { (&init, &one, &recv) } else { (&recv, &other, &init) };
        rooms.lives.delete(ended, Some(anchor)).await.unwrap();
        for _ in 0..2 {
            rooms.relays.room_ended(ended).await.unwrap();
            assert!(bound(&rooms).await.is_empty());
            assert_eq!((stopped(&rooms, &init).await, stopped(&rooms, &recv).await), (1, 0));
        }
        let relay = rooms.relays.find(&pk.relay_id).await.unwrap();
        assert_eq!((relay.status, relay.stop_at.is_some()), (6, true));
        assert_eq!(rooms.lives.view(survivor).await.unwrap().pk_id, "");
        rooms.relays.room_ended("no-such-room").await.unwrap();
    }
}

async fn name_pk(rooms: &Rooms, live_id: &str, sid: &str) {
    let change = live_entities::Entity::update_many().col_expr(live_entities::Column::PkId, Expr::value(sid));
    change.filter(live_entities::Column::LiveId.eq(live_id)).exec(rooms.db.writer()).await.unwrap();
}

/// The reference wrote session and rooms one after the other.
#[rstest]
#[tokio::test]
async fn a_room_that_names_a_pk_not_its_own_is_free(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (one, other, third) = (rooms.live("one").await, rooms.live("other").await, rooms.live("third").await);
    name_pk(&rooms, &one, "gone").await;
    rooms.relays.room_ended(&one).await.unwrap();
    assert!(bound(&rooms).await.is_empty());
    assert_eq!(rooms.lives.view(&one).await.unwrap().pk_id, "");

    // A session that is over, or that does not exist, holds nobody back.
    name_pk(&rooms, &one, "gone").await;
    let pk = start(&rooms, ("one", &one), ("other", &other)).await.unwrap();
    rooms.relays.stop(&pk.relay_id, "one").await.unwrap();
    name_pk(&rooms, &one, &pk.relay_id).await;
    let next = start(&rooms, ("one", &one), ("other", &other)).await.unwrap();
    assert_ne!(next.relay_id, pk.relay_id);
    // Nor does one that runs between others; the end of the room leaves it alone.
    name_pk(&rooms, &third, &next.relay_id).await;
    rooms.relays.room_ended(&third).await.unwrap();
    assert_eq!(bound(&rooms).await.len(), 2);
    let busy = start(&rooms, ("third", &third), ("one", &one)).await;
    assert!(matches!(&busy, Err(Error::Busy(room)) if *room == one), "{busy:?}");

    // A stop that found its session over frees the rooms all the same.
    let over = relay_sessions::Entity::update_many().col_expr(relay_sessions::Column::Status, Expr::value(6));
    over.filter(relay_sessions::Column::Sid.eq(&*next.relay_id)).exec(rooms.db.writer()).await.unwrap();
    rooms.relays.stop(&next.relay_id, "other").await.unwrap();
    assert!(bound(&rooms).await.is_empty());
    assert_eq!(stopped(&rooms, &one).await, 1, "only the first stop ended something");
}

#[rstest]
#[tokio::test]
async fn both_rooms_are_told_the_keys_that_changed(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (init, recv) = (rooms.live("one").await, rooms.live("other").await);
    let pk = start(&rooms, ("one", &init), ("other", &recv)).await.unwrap();
    let sid = pk.relay_id.as_str();
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let set = async |anchor: Option<&str>, pairs: &[(&str, &str)]| {
        rooms.relays.set_extends(sid, anchor, Some(map(pairs))).await
    };
    set(Some("one"), &[("a", "1"), ("b", "1")]).await.unwrap();
    set(Some("other"), &[("a", "1"), ("b", "2")]).await.unwrap();
    set(None, &[("a", "1"), ("b", "2")]).await.unwrap();
    set(None, &[]).await.unwrap();
    set(None, &[("c", "")]).await.unwrap();
    rooms.relays.set_extends(sid, None, None).await.unwrap();
    let long = "x".repeat(1000);
    set(None, &[("d", &long)]).await.map(|()| "taken").unwrap_err();
    assert!(matches!(set(Some("third"), &[("a", "2")]).await, Err(Error::NotInPk)));

    let found = rooms.relays.find(sid).await.unwrap();
    assert_eq!(found.extends, Some(map(&[("a", "1"), ("b", "2"), ("c", "")])));
    for live in [&init, &recv] {
        let told = rooms.events(live).await.into_iter().filter_map(|event| match event {
            DomainEvent::PkExtendsChanged { sid: of, init_room_id, recv_room_id, extends } => {
                assert_eq!((of.as_str(), &init_room_id, &recv_room_id), (sid, &init, &recv));
                Some(extends)
            }
            _ => None,
        });
        let wanted = [map(&[("a", "1"), ("b", "1")]), map(&[("b", "2")]), map(&[("c", "")])];
        assert_eq!(told.collect::<Vec<_>>(), wanted);
    }
}

/// A node that begins a PK and dies before it can say so leaves others with what they remember of the
/// rooms. Whoever is refused because of that PK can look it up.
#[rstest]
#[tokio::test]
async fn a_refused_start_shows_the_pk_of_a_node_that_died(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (one, other) = (rooms.live("one").await, rooms.live("other").await);
    start(&rooms, ("one", &one), ("other", &other)).await.unwrap();
    for live_id in [&one, &other] {
        rooms.lives.view(live_id).await.unwrap();
    }
    // As if another node had begun it.
    let (sid, pk_id) = (relay_sessions::Column::Sid, live_entities::Column::PkId);
    let conn = rooms.db.writer();
    relay_sessions::Entity::update_many().col_expr(sid, Expr::value("77")).exec(conn).await.unwrap();
    live_entities::Entity::update_many().col_expr(pk_id, Expr::value("77")).exec(conn).await.unwrap();
    assert_ne!(rooms.lives.view(&one).await.unwrap().pk_id, "77", "it is remembered as it was");
    let refused = start(&rooms, ("one", &one), ("other", &other)).await;
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    for live_id in [&one, &other] {
        assert_eq!(rooms.lives.view(live_id).await.unwrap().pk_id, "77");
    }
}
