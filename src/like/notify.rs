//! Telling a room of its likes.
//!
//! A request only leaves a note. A room that has some is served by a task of its own, with at most
//! five messages a second, whichever node they come from; what waits is added up per user. Likes
//! are many and worth little: what does not fit, or waits too long, is dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::dto::LikeNotice;
use crate::im::{Im, Message, Target};
use crate::live::Room;
use crate::user::Users;
use common::supervise;
use store::cache::Cache;

/// From one message of a room to the next.
const PAUSE: Duration = Duration::from_millis(200);
/// Users of a room who wait: as many as can be told within [`PATIENCE`].
const WAITING: usize = 5;
/// How long they wait at most, and how long the IM service may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Rooms that are told at the same time.
const ROOMS: usize = 10_000;
/// Messages that are on their way to the IM service at the same time.
const SENDING: usize = 64;

/// Tells rooms of likes; clones share everything.
#[derive(Clone)]
pub(super) struct Notifier(Arc<Inner>);

struct Inner {
    cache: Cache,
    users: Users,
    im: Im,
    /// Requests run on other runtimes, which end before this one.
    runtime: Handle,
    rooms: Mutex<HashMap<String, VecDeque<Waiting>>>,
    sending: Semaphore,
}

/// Likes of a user that the room was not told of.
struct Waiting {
    user_id: String,
    count: i64,
    since: Instant,
}

impl Notifier {
    /// A notifier that works on the present runtime.
    pub(super) fn new(cache: Cache, users: Users, im: Im) -> Self {
        let (runtime, sending) = (Handle::current(), Semaphore::new(SENDING));
        Self(Arc::new(Inner { cache, users, im, runtime, rooms: Mutex::default(), sending }))
    }

    /// Notes likes to be told.
    pub(super) fn tell(&self, room: &Room, user_id: &str, count: i64) {
        let Some(audience) = room.audience() else { return };
        let mut rooms = self.0.rooms();
        if let Some(waiting) = rooms.get_mut(&room.live_id) {
            note(waiting, user_id, count);
        } else if rooms.len() < ROOMS {
            let mut waiting = VecDeque::with_capacity(WAITING);
            note(&mut waiting, user_id, count);
            rooms.insert(room.live_id.clone(), waiting);
            let (inner, live_id) = (Arc::clone(&self.0), room.live_id.clone());
            self.0.runtime.spawn(async move {
                if supervise::catch("like notices", inner.serve(&live_id, &audience)).await.is_err() {
                    inner.rooms().remove(&live_id);
                }
            });
        }
    }
}

fn note(waiting: &mut VecDeque<Waiting>, user_id: &str, count: i64) {
    if let Some(known) = waiting.iter_mut().find(|known| known.user_id == user_id) {
        known.count = known.count.saturating_add(count);
    } else if waiting.len() < WAITING {
        waiting.push_back(Waiting { user_id: user_id.to_owned(), count, since: Instant::now() });
    }
}

impl Inner {
    fn rooms(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Waiting>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells one room, until nothing waits.
    async fn serve(&self, live_id: &str, audience: &Target) {
        let turn = format!("like_notify:{live_id}");
        while self.waits(live_id) {
            // One node has it for each pause; without a cache nobody tells anything.
            if self.cache.set_if_absent(&turn, "", PAUSE).await.unwrap_or_default() {
                if let Some(next) = self.next(live_id) {
                    self.send(live_id, audience, next).await;
                }
                sleep(PAUSE).await;
            } else {
                sleep(PAUSE / 4).await;
            }
        }
    }

    /// Whether anything waits that is not too old; else the room is done with.
    fn waits(&self, live_id: &str) -> bool {
        let mut rooms = self.rooms();
        let Some(waiting) = rooms.get_mut(live_id) else { return false };
        waiting.retain(|waiting| waiting.since.elapsed() < PATIENCE);
        let waits = !waiting.is_empty();
        if !waits {
            rooms.remove(live_id);
        }
        waits
    }

    fn next(&self, live_id: &str) -> Option<Waiting> {
        self.rooms().get_mut(live_id)?.pop_front()
    }

    async fn send(&self, live_id: &str, audience: &Target, likes: Waiting) {
        let Ok(_permit) = self.sending.try_acquire() else { return };
        let sending = async {
            let from = self.users.known(&likes.user_id).await.ok().flatten()?.account()?;
            let notice = LikeNotice { live_id, user_id: &likes.user_id, count: likes.count };
            let message = Message::new(Some(from), audience.clone(), "like_notify", notice).ok()?;
            self.im
                .send(message)
                .await
                .inspect_err(|error| tracing::debug!(%error, live_id, "a room was not told of likes"))
                .ok()
        };
        if timeout(PATIENCE, sending).await.ok().flatten().is_none() {
            tracing::debug!(live_id, "likes were dropped");
        }
    }
}
