//! What happens to a seat at the same time happens one after the other.

use futures_util::future::join_all;
use liveloom::event::DomainEvent;
use liveloom::mic::{Error, Flags};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use store::entity::live_mic_entities;

use crate::support::rooms::Rooms;

/// The one seat of a user in a room: its status, or None without a row.
async fn seat(rooms: &Rooms, live_id: &str, user: &str) -> Option<i32> {
    let seats = live_mic_entities::Entity::find()
        .filter(live_mic_entities::Column::LiveId.eq(live_id))
        .filter(live_mic_entities::Column::UserId.eq(user));
    let seats = seats.all(rooms.db.writer()).await.unwrap();
    assert!(seats.len() <= 1, "{seats:?}");
    seats.first().and_then(|seat| seat.status)
}

/// Panics unless the seat's events alternate, beginning with a join; whether the user is on it.
async fn is_on_after_events(rooms: &Rooms, live_id: &str, user: &str) -> bool {
    let mut is_on = false;
    for event in rooms.events(live_id).await {
        match event {
            DomainEvent::MicJoined { user_id } if user_id == user => {
                assert!(!is_on, "joined twice");
                is_on = true;
            }
            DomainEvent::MicLeft { user_id } if user_id == user => {
                assert!(is_on, "left twice");
                is_on = false;
            }
            _ => {}
        }
    }
    is_on
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_taken_from_many_places_is_taken_once(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let live = rooms.live("anchor").await;
    for guest in ["one", "two"] {
        rooms.join(guest, &live).await;
    }
    let ups = (0..32).map(|number| {
        let guest = if number % 2 == 0 { "one" } else { "two" };
        rooms.mics.up(&live, guest, Flags { mic: number % 4 < 2, ..Flags::default() })
    });
    for taken in join_all(ups).await {
        taken.unwrap();
    }
    for guest in ["one", "two"] {
        assert_eq!(seat(&rooms, &live, guest).await, Some(0));
        assert!(is_on_after_events(&rooms, &live, guest).await);
    }
    assert_eq!(rooms.lives.view(&live).await.unwrap().total_mics, 2);
    let (rooms, live) = (&rooms, live.as_str());
    let downs = (0..16).map(|number| async move {
        if number % 2 == 0 {
            rooms.mics.down(live, "one").await.unwrap();
        } else {
            rooms.mics.take_off(live, "anchor", "one").await.unwrap();
        }
    });
    join_all(downs).await;
    assert!(!is_on_after_events(rooms, live, "one").await);
    assert_eq!(seat(rooms, live, "one").await, Some(1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leave_that_races_with_a_seat_leaves_none_behind(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (live, other) = (rooms.live("anchor").await, rooms.live("other").await);
    for round in 0..24 {
        let guest = format!("g{}", round % 4);
        rooms.join(&guest, &live).await;
        let up = rooms.mics.up(&live, &guest, Flags::default());
        let taken = if round % 2 == 0 {
            let (taken, gone) = tokio::join!(up, rooms.lives.leave(&live, &guest));
            gone.unwrap();
            taken
        } else {
            let (taken, gone) = tokio::join!(up, rooms.lives.join(&other, &guest));
            gone.unwrap();
            taken
        };
        assert!(matches!(taken, Ok(_) | Err(Error::NotInRoom)), "{taken:?}");
        assert_ne!(seat(&rooms, &live, &guest).await, Some(0), "round {round}");
        assert!(!is_on_after_events(&rooms, &live, &guest).await);
        assert_eq!(rooms.lives.view(&live).await.unwrap().total_mics, 0);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_forbidden_while_taking_a_seat_is_not_on_it(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let live = rooms.live("anchor").await;
    for round in 0..12 {
        let guest = format!("g{round}");
        rooms.join(&guest, &live).await;
        let up = rooms.mics.up(&live, &guest, Flags::default());
        let (taken, forbidden) = tokio::join!(up, rooms.mics.forbid(&live, &guest));
        forbidden.unwrap();
        assert!(matches!(taken, Ok(_) | Err(Error::Forbidden)), "{taken:?}");
        assert_eq!(seat(&rooms, &live, &guest).await, Some(2));
        assert!(!is_on_after_events(&rooms, &live, &guest).await);
    }
}
