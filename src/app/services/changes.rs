//! Keeps what is remembered of the tables up with the other nodes.

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::Services;
use crate::{gift, live, moderation, user};
use common::crash;
use realtime as hub;
use realtime::Hub;
use store::cache::Announcement;

/// Follows `changes`: drops what is remembered of users, rooms, their rules and gift types that any node has changed,
/// until `stop`.
pub(in crate::app) async fn follow_changes(
    mut changes: Receiver<Announcement>,
    hub: Hub,
    services: Services,
    stop: CancellationToken,
) {
    while let Some(change) = stop.run_until_cancelled(changes.recv()).await {
        crash::point("changes.heard");
        let (users, lives, types) = (&services.users, &services.lives, services.gifts.types());
        let rules = &services.moderation;
        match change {
            Ok(Announcement::Changed { topic, key }) if topic == user::TOPIC => {
                users.forget(Some(&key)).await;
            }
            Ok(Announcement::Changed { topic, key }) if topic == live::TOPIC => {
                lives.forget(Some(&key)).await;
            }
            Ok(Announcement::Changed { topic, key }) if topic == gift::TOPIC => {
                types.forget(Some(&key)).await;
            }
            Ok(Announcement::Changed { topic, key }) if topic == hub::TOPIC => hub.obey(&key),
            Ok(Announcement::Changed { topic, key }) if topic == moderation::TOPIC => {
                rules.forget(Some(&key)).await;
            }
            Ok(Announcement::Changed { topic, .. }) if topic == moderation::WORDS_TOPIC => {
                rules.words().forget();
            }
            Ok(Announcement::Changed { .. }) => {}
            Ok(Announcement::Resync) | Err(RecvError::Lagged(_)) => {
                users.forget(None).await;
                lives.forget(None).await;
                types.forget(None).await;
                rules.forget(None).await;
                rules.words().forget();
                // Orders were missed as well, and are found in the tables.
                hub.note_interruption();
            }
            Err(RecvError::Closed) => return,
        }
    }
}
