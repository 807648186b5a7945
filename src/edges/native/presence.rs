//! A connection that follows a room keeps its user there, as a heartbeat does.

use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use tokio::time::{MissedTickBehavior, interval};

use super::Parts;
use common::failure::{Failure, Kind as ErrorKind};
use realtime::{Channel, Connection, Kind, LocalHub, is_turn};

/// From one look at the connections to the next, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Heartbeats under way at once; the cache merges them.
const AT_ONCE: usize = 256;

/// Sends the heartbeats of a worker's connections for as long as the worker lives.
pub(super) async fn keep(local: LocalHub, parts: Rc<Parts>) {
    let every = parts.heartbeat_every;
    let mut tick = interval(LOOK_EVERY.min(every));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = local.now();
    loop {
        tick.tick().await;
        let now = local.now();
        let mut due = Vec::new();
        for connection in local.connections() {
            if connection.is_closing() || !is_turn(connection.opened(), before, now, every) {
                continue;
            }
            let channels = connection.channels();
            let rooms = channels.iter().filter_map(|name| Channel::parse(name));
            due.extend(
                rooms.filter(|room| room.kind() == Kind::Room).map(|room| (Rc::clone(&connection), room)),
            );
        }
        before = now;
        let beats = due.into_iter().map(|(connection, room)| beat(&local, &parts, connection, room));
        iter(beats).for_each_concurrent(AT_ONCE, |beat| beat).await;
    }
}

async fn beat(local: &LocalHub, parts: &Parts, connection: Rc<Connection>, room: Channel) {
    let Some(user_id) = connection.user_id() else { return };
    let Err(error) = parts.lives.heartbeat(room.id(), &user_id).await else { return };
    match error.kind() {
        ErrorKind::NotInRoom => {
            local.end_subscription(&connection, room.name(), 403, "you are not in the room");
        }
        ErrorKind::NotFound => local.end_subscription(&connection, room.name(), 404, "the room is gone"),
        // A cache that is away: nobody is put out meanwhile.
        _ => tracing::debug!(%error, "a heartbeat of a connection failed"),
    }
}
