//! Every way out of a room frees the seat.

use std::time::Duration;

use liveloom::event::DomainEvent;
use liveloom::live::silence::Swept;
use liveloom::mic::{Error, Flags};
use rstest::rstest;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use store::entity::{live_mic_entities, live_room_user_entities};

use crate::support::fence::Leader;
use crate::support::rooms::Rooms;
use crate::support::wait::wait_until;

const LIMIT: Duration = Duration::from_secs(20);

/// The users on seats, in the table and as the room object counts them.
async fn on_seats(rooms: &Rooms, live_id: &str) -> Vec<String> {
    let seats = live_mic_entities::Entity::find()
        .filter(live_mic_entities::Column::LiveId.eq(live_id))
        .filter(live_mic_entities::Column::Status.eq(0))
        .order_by_asc(live_mic_entities::Column::Id);
    let users: Vec<String> =
        seats.all(rooms.db.writer()).await.unwrap().into_iter().filter_map(|seat| seat.user_id).collect();
    let view = rooms.lives.view(live_id).await.unwrap();
    assert_eq!(view.total_mics, i64::try_from(users.len()).unwrap(), "{users:?}");
    users
}

async fn left(rooms: &Rooms, live_id: &str) -> Vec<String> {
    let left = rooms.events(live_id).await.into_iter().filter_map(|event| match event {
        DomainEvent::MicLeft { user_id } => Some(user_id),
        _ => None,
    });
    left.collect()
}

async fn up(rooms: &Rooms, user: &str, live_id: &str) {
    rooms.mics.up(live_id, user, Flags::default()).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn leaving_and_joining_elsewhere_free_the_seat(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (one, other) = (rooms.live("anchor").await, rooms.live("other").await);
    for guest in ["a", "b", "c"] {
        rooms.join(guest, &one).await;
        up(&rooms, guest, &one).await;
    }
    assert_eq!(on_seats(&rooms, &one).await, ["a", "b", "c"]);
    rooms.lives.leave(&one, "a").await.unwrap();
    assert_eq!(on_seats(&rooms, &one).await, ["b", "c"]);
    rooms.lives.leave(&one, "a").await.unwrap();
    // To leave a room where one is not changes nothing where one is.
    rooms.lives.leave(&other, "b").await.unwrap();
    rooms.join("b", &one).await;
    assert_eq!(on_seats(&rooms, &one).await, ["b", "c"]);
    rooms.join("b", &other).await;
    assert_eq!(on_seats(&rooms, &one).await, ["c"]);
    assert_eq!(on_seats(&rooms, &other).await, Vec::<String>::new());
    // A start takes the anchor out of where they were.
    let own = rooms.created("c").await;
    rooms.lives.start(&own, "c").await.unwrap();
    assert_eq!(on_seats(&rooms, &one).await, Vec::<String>::new());
    assert_eq!(left(&rooms, &one).await, ["a", "b", "c"]);
    assert_eq!(left(&rooms, &other).await, Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn an_anchor_on_a_seat_leaves_both(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let live = rooms.live("anchor").await;
    rooms.lives.leave(&live, "anchor").await.unwrap();
    rooms.join("anchor", &live).await;
    up(&rooms, "anchor", &live).await;
    rooms.lives.leave(&live, "anchor").await.unwrap();
    assert_eq!(on_seats(&rooms, &live).await, Vec::<String>::new());
    let user_id = "anchor".to_owned();
    let wanted = [
        DomainEvent::LiveStarted,
        DomainEvent::AnchorLeft,
        DomainEvent::MicJoined { user_id: user_id.clone() },
        DomainEvent::MicLeft { user_id },
        DomainEvent::AnchorLeft,
    ];
    assert_eq!(rooms.events(&live).await[1..], wanted);
}

#[rstest]
#[tokio::test]
async fn silence_frees_the_seats_of_many_at_once(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    rooms.cache.begin_watch().await.unwrap();
    let lives = [rooms.live("anchor").await, rooms.live("other").await];
    let mut guests: [Vec<String>; 2] = Default::default();
    for number in 0..30 {
        let (guest, room) = (format!("g{number:02}"), number % 2);
        rooms.join(&guest, &lives[room]).await;
        if number % 3 == 0 {
            up(&rooms, &guest, &lives[room]).await;
            guests[room].push(guest);
        }
    }
    for (live, guests) in lives.iter().zip(&guests) {
        assert_eq!(&on_seats(&rooms, live).await, guests);
    }
    wait_until("all are out", LIMIT, async || {
        let swept = rooms.lives.put_out_silent(&Leader, Duration::from_millis(1)).await.unwrap();
        assert_ne!(swept, Swept::Lost);
        rooms.lives.view(&lives[0]).await.unwrap().online_count == 0
            && rooms.lives.view(&lives[1]).await.unwrap().online_count == 0
    })
    .await;
    for (live, guests) in lives.iter().zip(guests) {
        assert_eq!(on_seats(&rooms, live).await, Vec::<String>::new());
        let mut left = left(&rooms, live).await;
        left.sort_unstable();
        assert_eq!(left, guests);
        assert!(rooms.events(live).await.contains(&DomainEvent::AnchorLeft));
    }
    // A heartbeat brings the guest back, but not onto the seat.
    rooms.lives.heartbeat(&lives[0], "g00").await.unwrap();
    assert_eq!(on_seats(&rooms, &lives[0]).await, Vec::<String>::new());
    up(&rooms, "g00", &lives[0]).await;
    assert_eq!(on_seats(&rooms, &lives[0]).await, ["g00"]);
}

#[rstest]
#[tokio::test]
async fn who_is_forbidden_stays_so_across_leaving(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let live = rooms.live("anchor").await;
    rooms.join("guest", &live).await;
    up(&rooms, "guest", &live).await;
    rooms.mics.forbid(&live, "guest").await.unwrap();
    assert_eq!(on_seats(&rooms, &live).await, Vec::<String>::new());
    rooms.lives.leave(&live, "guest").await.unwrap();
    rooms.join("guest", &live).await;
    rooms.mics.down(&live, "guest").await.unwrap();
    let refused = rooms.mics.up(&live, "guest", Flags::default()).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    rooms.mics.unforbid(&live, "guest").await.unwrap();
    up(&rooms, "guest", &live).await;
    rooms.mics.unforbid(&live, "guest").await.unwrap();
    assert_eq!(on_seats(&rooms, &live).await, ["guest"]);
    assert_eq!(left(&rooms, &live).await, ["guest"]);
}

/// Rows of the server whose database was adopted do not tell whether there is a seat.
#[rstest]
#[tokio::test]
async fn seats_of_an_adopted_database_are_freed_too(#[values(true, false)] is_embedded: bool) {
    let rooms = Rooms::start(is_embedded).await;
    let (one, other) = (rooms.live("anchor").await, rooms.live("other").await);
    for guest in ["a", "b"] {
        rooms.join(guest, &one).await;
        up(&rooms, guest, &one).await;
    }
    let unknown = live_room_user_entities::Entity::update_many()
        .col_expr(live_room_user_entities::Column::MicSeat, Expr::value(Option::<bool>::None));
    unknown.exec(rooms.db.writer()).await.unwrap();
    rooms.lives.leave(&one, "a").await.unwrap();
    rooms.join("b", &other).await;
    assert_eq!(on_seats(&rooms, &one).await, Vec::<String>::new());
    assert_eq!(left(&rooms, &one).await, ["a", "b"]);
}
