//! PKs: of racing ones one wins, and whatever ends when, no room stays bound.

mod crash;
mod ends;
mod races;

use std::collections::BTreeMap;

use liveloom::relay::{PkView, StartPk};
use sea_orm::EntityTrait;
use store::entity::{live_entities, relay_sessions};

use crate::support::rooms::Rooms;

fn pk(init: &str, recv: &str, recv_user: &str) -> StartPk {
    StartPk {
        init_room_id: init.to_owned(),
        recv_room_id: recv.to_owned(),
        recv_user_id: recv_user.to_owned(),
        extends: None,
    }
}

/// Starts a PK between the rooms of two anchors.
async fn start(
    rooms: &Rooms,
    init: (&str, &str),
    recv: (&str, &str),
) -> Result<PkView, liveloom::relay::Error> {
    rooms.relays.start(init.0, pk(init.1, recv.1, recv.0)).await
}

/// The PK of each room that is bound to one. Panics unless every bound room is named by a session
/// that runs, and every session that runs binds both of its rooms.
async fn bound(rooms: &Rooms) -> BTreeMap<String, String> {
    let conn = rooms.db.writer();
    let lives = live_entities::Entity::find().all(conn).await.unwrap();
    let bound = lives.into_iter().filter_map(|room| Some((room.live_id?, room.pk_id?)));
    let bound: BTreeMap<_, _> = bound.filter(|(_, sid)| !sid.is_empty()).collect();
    let sessions = relay_sessions::Entity::find().all(conn).await.unwrap();
    let mut wanted = BTreeMap::new();
    for session in sessions.into_iter().filter(|session| session.status < Some(5)) {
        for room in [session.init_room_id.unwrap(), session.recv_room_id.unwrap()] {
            let former = wanted.insert(room, session.sid.clone().unwrap());
            assert_eq!(former, None, "a room in two PKs");
        }
    }
    assert_eq!(bound, wanted);
    bound
}
