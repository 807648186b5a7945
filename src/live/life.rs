//! Start, end and deletion of rooms.

use super::dto::RoomView;
use super::error::Error;
use super::room::LiveStatus;
use super::service::Lives;
use super::{members, queries};
use crate::event::{self, DomainEvent, StopReason};
use store::cache::Enter;
use telemetry::sampled;

impl Lives {
    /// Starts the live and brings its anchor into the room. Starting again changes nothing but
    /// gives a new token.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], [`Error::Ended`], or the store's.
    pub async fn start(&self, live_id: &str, caller: &str) -> Result<RoomView, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let moved = inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = self.lock_own(tx, live_id, caller).await?;
                    if room.status == LiveStatus::Ended {
                        return Err(Error::Ended);
                    }
                    if room.status == LiveStatus::Created {
                        queries::set_live(&inner.db, tx, &room, now).await?;
                    }
                    let found = members::lock(&inner.db, tx, caller).await?;
                    let moved = self.store_move(tx, found, live_id, caller, now).await?;
                    let started = (room.status == LiveStatus::Created)
                        .then(|| (live_id.to_owned(), DomainEvent::LiveStarted));
                    let events: Vec<_> = moved.events.iter().cloned().chain(started).collect();
                    event::append_few(tx, &inner.db, &events, now).await?;
                    Ok(moved)
                })
            })
            .await?;
        self.changed(live_id).await;
        self.recount_seats(&moved.events).await;
        self.watch_anchor(live_id, caller, moved.former.as_deref()).await;
        let mut view = self.view(live_id).await?;
        view.room_token = inner.rtc.room_token(caller, live_id, now);
        Ok(view)
    }

    /// The presence of a start; when the cache is away, the next heartbeats make up for it.
    async fn watch_anchor(&self, live_id: &str, anchor_id: &str, former: Option<&str>) {
        let cache = &self.0.cache;
        let enter = Enter { live_id, user_id: anchor_id, former, anchor_id, ..Enter::default() };
        let watched = async {
            cache.anchor_watch(live_id).await?;
            cache.enter(enter).await
        };
        if let Err(error) = watched.await {
            sampled!(warn, %error, live_id, "the anchor's presence could not be stored");
        }
    }

    /// Ends the live, by its anchor.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], [`Error::NotLive`], or the store's.
    pub async fn stop(&self, live_id: &str, caller: &str) -> Result<(), Error> {
        self.end(live_id, Some(caller), StopReason::Anchor).await
    }

    /// Ends the live, by a backend.
    ///
    /// # Errors
    /// [`Error::NotLive`], or the store's.
    pub async fn stop_by_server(&self, live_id: &str) -> Result<(), Error> {
        self.end(live_id, None, StopReason::Server).await
    }

    async fn end(&self, live_id: &str, anchor: Option<&str>, reason: StopReason) -> Result<(), Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = self.lock_for(tx, live_id, anchor).await?;
                    if room.status != LiveStatus::Live {
                        return Err(Error::NotLive);
                    }
                    queries::set_ended(&inner.db, tx, &[room.row_id], now).await?;
                    let stopped = DomainEvent::LiveStopped { reason };
                    event::append(tx, &inner.db, live_id, &stopped, now).await?;
                    Ok(())
                })
            })
            .await?;
        self.changed(live_id).await;
        self.unwatch(&[live_id]).await;
        Ok(())
    }

    /// Deletes a room, by its anchor or, without one, by a backend; ends its live first.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], or the store's.
    pub async fn delete(&self, live_id: &str, anchor: Option<&str>) -> Result<(), Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = self.lock_for(tx, live_id, anchor).await?;
                    if room.status == LiveStatus::Live {
                        queries::set_ended(&inner.db, tx, &[room.row_id], now).await?;
                    }
                    queries::set_deleted(&inner.db, tx, room.row_id, now).await?;
                    if room.status == LiveStatus::Live {
                        let stopped = DomainEvent::LiveStopped { reason: StopReason::Deleted };
                        event::append(tx, &inner.db, live_id, &stopped, now).await?;
                    }
                    event::append(tx, &inner.db, live_id, &DomainEvent::LiveDeleted, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        self.changed(live_id).await;
        self.unwatch(&[live_id]).await;
        Ok(())
    }
}
