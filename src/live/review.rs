//! What the content review changes and reads of rooms: the end of a live by an operator, and the
//! columns that tell of pictures.

use std::collections::HashSet;

use super::error::Error;
use super::review_queries as queries;
use super::room::{LiveStatus, Room};
use super::service::Lives;
use crate::event::{self, DomainEvent, StopReason};
use common::page::Paging;
use store::db::{Db, StoreError, Tx};

/// The `stop_reason` of a live that an operator ended.
pub const STOPPED_BY_CENSOR: &str = "censor";

/// Which rooms a list of reviewed ones shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reviewed {
    /// All that the review service has sent a picture of.
    Any,
    /// Those with pictures that nobody has looked at, unless an operator has ended the live.
    Waiting,
}

/// A room with what the review knows of it.
#[derive(Clone, Debug)]
pub struct ReviewedRoom {
    /// The room.
    pub room: Room,
    /// The anchor's name.
    pub nick: String,
    /// Whether the anchor is in the room.
    pub anchor_in: bool,
    /// Pictures that nobody has looked at.
    pub waiting: i32,
    /// When the last picture was taken, Unix seconds; 0 for never.
    pub last_picture: i32,
}

impl Lives {
    /// Ends the live in the name of the administrator `admin_id`; `message` is what the room is told.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotLive`], or the store's.
    pub async fn stop_by_censor(&self, live_id: &str, admin_id: &str, message: &str) -> Result<(), Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = self.lock_for(tx, live_id, None).await?;
                    if room.status != LiveStatus::Live {
                        return Err(Error::NotLive);
                    }
                    super::queries::set_ended(&inner.db, tx, &[room.row_id], now).await?;
                    queries::set_stopped(&inner.db, tx, room.row_id, admin_id, now).await?;
                    let stopped = DomainEvent::LiveStopped { reason: StopReason::Censor };
                    event::append(tx, &inner.db, live_id, &stopped, now).await?;
                    let told = DomainEvent::CensorStopped { message: message.to_owned() };
                    event::append(tx, &inner.db, live_id, &told, now).await?;
                    Ok(())
                })
            })
            .await?;
        self.changed(live_id).await;
        self.unwatch(&[live_id]).await;
        Ok(())
    }

    /// Locks the room until `tx` ends, so that its pictures and jobs change one at a time; a deleted
    /// room too, whose pictures are still judged. Answers its state; `None` when it is deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn lock_for_review(&self, tx: &Tx<'_>, live_id: &str) -> Result<Option<LiveStatus>, Error> {
        queries::lock(tx, live_id).await?.ok_or(Error::NotFound)
    }

    /// Writes how many pictures of a room that is locked wait for an operator and, with a new picture,
    /// when it was taken (Unix seconds).
    ///
    /// # Errors
    /// The store's.
    pub async fn set_review_count(
        &self,
        tx: &Tx<'_>,
        live_id: &str,
        waiting: i32,
        taken_at: Option<i32>,
    ) -> Result<(), StoreError> {
        queries::set_review_count(tx, live_id, waiting, taken_at).await
    }

    /// A page of reviewed rooms, the newest picture first, and how many rooms all pages have. Two
    /// statements and one trip to the cache when the anchors are known.
    ///
    /// # Errors
    /// The store's.
    pub async fn reviewed(
        &self,
        wanted: Reviewed,
        paging: Paging,
    ) -> Result<(u64, Vec<ReviewedRoom>), Error> {
        let db: &Db = &self.0.db;
        let (total, mut rooms) = queries::page(db, db.reader(), wanted, paging).await?;
        let ids: Vec<String> = rooms.iter().map(|row| row.room.anchor_id.clone()).collect();
        let anchors = self.0.users.list(&ids).await?;
        let keys: Vec<(&str, &str)> =
            rooms.iter().map(|row| (row.room.live_id.as_str(), row.room.anchor_id.as_str())).collect();
        let present = self.anchors_in(&keys).await?;
        for (row, is_in) in rooms.iter_mut().zip(present) {
            let anchor = anchors.iter().find(|anchor| anchor.user_id == row.room.anchor_id);
            row.nick = anchor.map(|anchor| anchor.nick.clone()).unwrap_or_default();
            row.anchor_in = is_in;
        }
        Ok((total, rooms))
    }

    /// Which anchors are in their rooms: from the cache, or from the database while it is away.
    async fn anchors_in(&self, keys: &[(&str, &str)]) -> Result<Vec<bool>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self.0.cache.room_states(keys).await {
            Ok(states) => Ok(states.into_iter().map(|state| state.anchor_in).collect()),
            Err(error) => {
                tracing::debug!(%error, "the anchors' presence comes from the database");
                let figures = super::visits::figures(self.0.db.primary(), keys).await?;
                Ok(figures.into_iter().map(|figures| figures.anchor_in).collect())
            }
        }
    }

    /// Live rooms after row number `after`, at most `limit`; with the number to go on from, when there
    /// may be more.
    ///
    /// # Errors
    /// The store's.
    pub async fn live_rooms_after(
        &self,
        after: u32,
        limit: usize,
    ) -> Result<(Option<u32>, Vec<String>), StoreError> {
        super::queries::live_after(self.0.db.primary(), after, limit).await
    }

    /// Those of `live_ids` that can be live no more: ended, deleted, or never there. One statement.
    ///
    /// # Errors
    /// The store's.
    pub async fn over_among(&self, live_ids: &[String]) -> Result<HashSet<String>, StoreError> {
        let open = queries::open_among(self.0.db.primary(), live_ids).await?;
        Ok(live_ids.iter().filter(|id| !open.contains(*id)).cloned().collect())
    }
}
