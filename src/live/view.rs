//! Room views: the row with its anchor, presence and counters, for one room or a page of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::dto::{RoomFigures, RoomView};
use super::error::Error;
use super::room::Room;
use super::service::Lives;
use super::visits;
use crate::user::{self, User};
use store::cache::{CROWDED_VIEWS, CountersEntry, RoomState};

impl Lives {
    /// The view of a room, as its anchor or a backend sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn view(&self, live_id: &str) -> Result<RoomView, Error> {
        let room = self.room(live_id).await?;
        self.view_with(&room, None).await
    }

    /// The view of `room`, of which `state` may be known already.
    pub(super) async fn view_with(&self, room: &Room, state: Option<RoomState>) -> Result<RoomView, Error> {
        let anchor = self.anchor_of(room).await?;
        let figures = match state {
            Some(RoomState { online, anchor_in, counters: Some(counters), .. }) => {
                RoomFigures { online, anchor_in, pv: counters.pv, uv: counters.uv, mics: counters.mics }
            }
            _ => self.figures(&[room]).await?.pop().unwrap_or_default(),
        };
        Ok(RoomView::new(room, &anchor, figures))
    }

    /// An anchor whose row is gone must not make their rooms unreadable.
    async fn anchor_of(&self, room: &Room) -> Result<Arc<User>, Error> {
        match self.0.users.find(&room.anchor_id).await {
            Err(user::Error::NotFound) => Ok(Arc::new(User::unknown(&room.anchor_id))),
            other => Ok(other?),
        }
    }

    /// The views of `rooms`, with one statement for all anchors and one for all counters that are
    /// not in memory.
    pub(super) async fn views(&self, rooms: &[Room]) -> Result<Vec<RoomView>, Error> {
        let ids: Vec<String> = rooms.iter().map(|room| room.anchor_id.clone()).collect();
        let anchors = self.0.users.list(&ids).await?;
        let anchors: HashMap<&str, &Arc<User>> =
            anchors.iter().map(|anchor| (anchor.user_id.as_str(), anchor)).collect();
        let borrowed: Vec<&Room> = rooms.iter().collect();
        let figures = self.figures(&borrowed).await?;
        let views =
            rooms.iter().zip(figures).map(|(room, figures)| match anchors.get(room.anchor_id.as_str()) {
                Some(anchor) => RoomView::new(room, anchor, figures),
                None => RoomView::new(room, &User::unknown(&room.anchor_id), figures),
            });
        Ok(views.collect())
    }

    /// The figures of `rooms`: from the cache, or from the database while it is away.
    async fn figures(&self, rooms: &[&Room]) -> Result<Vec<RoomFigures>, Error> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<(&str, &str)> =
            rooms.iter().map(|room| (room.live_id.as_str(), room.anchor_id.as_str())).collect();
        match self.0.cache.room_states(&keys).await {
            Ok(states) => self.figures_of(rooms, states).await,
            Err(error) => {
                tracing::debug!(%error, "room figures come from the database");
                Ok(visits::figures(self.0.db.reader_for(true), &keys).await?)
            }
        }
    }

    async fn figures_of(&self, rooms: &[&Room], states: Vec<RoomState>) -> Result<Vec<RoomFigures>, Error> {
        let uncounted = rooms.iter().zip(&states).filter(|(_, state)| state.counters.is_none());
        let missing: Vec<(&str, i64)> =
            uncounted.map(|(room, state)| (room.live_id.as_str(), state.version)).collect();
        let counted = self.count(&missing).await?;
        let figures = rooms.iter().zip(states).map(|(room, state)| {
            let counters = state.counters.or_else(|| counted.get(room.live_id.as_str()).copied());
            let counters = counters.unwrap_or_default();
            let RoomState { online, anchor_in, .. } = state;
            RoomFigures { online, anchor_in, pv: counters.pv, uv: counters.uv, mics: counters.mics }
        });
        let figures: Vec<RoomFigures> = figures.collect();
        self.note_crowded(rooms, &figures).await;
        Ok(figures)
    }

    /// Counts in the database and lets the cache repeat it, unless somebody joined meanwhile.
    async fn count(&self, missing: &[(&str, i64)]) -> Result<HashMap<String, store::cache::Counters>, Error> {
        if missing.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<&str> = missing.iter().map(|(id, _)| *id).collect();
        let db = &self.0.db;
        let counted = visits::counters(db.reader_for(true), &ids).await?;
        let entries: Vec<CountersEntry<'_>> = missing
            .iter()
            .map(|(live_id, version)| CountersEntry {
                live_id,
                version: *version,
                counters: counted.get(*live_id).copied().unwrap_or_default(),
            })
            .collect();
        if let Err(error) = self.0.cache.put_counters(&entries).await {
            tracing::debug!(%error, "counters are counted again next time");
        }
        Ok(counted)
    }

    async fn note_crowded(&self, rooms: &[&Room], figures: &[RoomFigures]) {
        let mark = self.0.crowded.mark();
        for (room, _) in rooms.iter().zip(figures).filter(|(_, figures)| figures.pv >= CROWDED_VIEWS) {
            self.0.crowded.keep(mark, &room.live_id, Arc::new(())).await;
        }
    }
}
