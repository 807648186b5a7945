//! Telling a room how many are in it, where this server delivers the messages itself: at most once a
//! second, whichever nodes people come and go at.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::room::Room;
use crate::im::{Im, Message};
use common::supervise;
use store::cache::Cache;

/// From one message of a room to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// How long publishing may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Rooms that wait at the same time.
const ROOMS: usize = 100_000;

/// Tells rooms how many are in; clones share everything.
#[derive(Clone)]
pub(super) struct OnlineNotices(Arc<Inner>);

struct Inner {
    cache: Cache,
    im: Im,
    /// Requests run on other runtimes, which end before this one.
    runtime: Handle,
    /// Rooms that wait to be told.
    rooms: Mutex<HashSet<String>>,
}

impl OnlineNotices {
    /// Notices that are sent from the present runtime.
    pub(super) fn new(cache: Cache, im: Im) -> Self {
        Self(Arc::new(Inner { cache, im, runtime: Handle::current(), rooms: Mutex::default() }))
    }

    /// Somebody came or went.
    pub(super) fn note(&self, room: &Arc<Room>) {
        if !self.0.im.is_builtin() {
            return;
        }
        let mut rooms = self.0.rooms();
        if rooms.len() < ROOMS && rooms.insert(room.live_id.clone()) {
            let (inner, room) = (Arc::clone(&self.0), Arc::clone(room));
            self.0.runtime.spawn(async move {
                if supervise::catch("online notices", inner.tell(&room)).await.is_err() {
                    inner.rooms().remove(&room.live_id);
                }
            });
        }
    }
}

impl Inner {
    fn rooms(&self) -> MutexGuard<'_, HashSet<String>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, room: &Room) {
        let turn = format!("online_count:{}", room.live_id);
        // One node has each second. Another one's message may have been counted before what this one
        // has to tell, and so does not make up for it.
        loop {
            match self.cache.set_if_absent(&turn, "", PAUSE).await {
                Ok(true) => break,
                Ok(false) => sleep(PAUSE / 4).await,
                Err(error) => {
                    self.rooms().remove(&room.live_id);
                    return tracing::debug!(%error, room.live_id, "a room is not told how many are in");
                }
            }
        }
        // Whoever comes after the count leaves a new note.
        self.rooms().remove(&room.live_id);
        if timeout(PATIENCE, self.send(room)).await.is_err() {
            tracing::debug!(room.live_id, "a room was not told in time how many are in");
        }
    }

    async fn send(&self, room: &Room) {
        let Some(audience) = room.audience() else { return };
        let states = self.cache.room_states(&[(&room.live_id, &room.anchor_id)]).await;
        let Some(online_count) = states.ok().and_then(|states| states.first().map(|state| state.online))
        else {
            return;
        };
        let data = json!({ "live_id": room.live_id, "online_count": online_count });
        let Ok(message) = Message::new(None, audience, "online_count", data) else { return };
        if let Err(error) = self.im.send(message).await {
            tracing::debug!(%error, room.live_id, "a room was not told how many are in");
        }
    }
}
