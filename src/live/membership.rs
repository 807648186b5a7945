//! Who is in a room: joining, leaving, heartbeats and the list of users.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::dto::{HeartbeatView, RoomView};
use super::error::Error;
use super::members::{self, Membership};
use super::room::{LiveStatus, Room};
use super::service::Lives;
use super::visits;
use crate::event::{self, DomainEvent};
use crate::user::UserView;
use common::crash;
use common::page::{Page, Paging};
use store::cache::{Counters, Enter, Member, RoomState};
use store::db::Tx;
use telemetry::sampled;

/// A room and what happened in it.
pub(super) type Event = (String, DomainEvent);

/// What a user's way into a room did to the one they were in.
pub(super) struct Moved {
    /// The other room that they were in.
    pub former: Option<String>,
    /// What happened there, to be appended in the same transaction.
    pub events: Vec<Event>,
}

/// What a join found and did in the database.
struct Joined {
    moved: Moved,
    is_new_visitor: bool,
    /// The room's counters with this join in them, unless it is crowded.
    counters: Option<Counters>,
}

impl Lives {
    /// Brings a user into a room, and out of the one they were in. Each join counts as a view.
    ///
    /// # Errors
    /// [`Error::Ended`] for a room that is over, or the store's.
    pub async fn join(&self, live_id: &str, user_id: &str) -> Result<RoomView, Error> {
        let room = self.room(live_id).await?;
        if room.status == LiveStatus::Ended {
            return Err(Error::Ended);
        }
        let joined = self.store_join(live_id, user_id).await?;
        self.recount_seats(&joined.moved.events).await;
        let enter = Enter {
            live_id,
            user_id,
            former: joined.moved.former.as_deref(),
            new_visitor: joined.is_new_visitor,
            count_view: true,
            anchor_id: &room.anchor_id,
        };
        let state = match self.0.cache.enter(enter).await {
            Ok(state) => Some(RoomState { counters: joined.counters.or(state.counters), ..state }),
            Err(error) => {
                sampled!(warn, %error, live_id, "a join could not be stored in the cache; heartbeats make up for it");
                None
            }
        };
        self.people_changed(&room, joined.moved.former.as_deref(), user_id).await;
        Ok(self.view_with(&room, state).await?.shown_to(user_id))
    }

    async fn store_join(&self, live_id: &str, user_id: &str) -> Result<Joined, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let is_crowded = inner.crowded.peek(live_id).await.is_some();
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let (found, counters) = if is_crowded {
                        (members::lock(&inner.db, tx, user_id).await?, None)
                    } else {
                        members::lock_and_count(&inner.db, tx, user_id, live_id).await?
                    };
                    let moved = self.store_move(tx, found, live_id, user_id, now).await?;
                    let is_new_visitor =
                        visits::add(&inner.db, tx, &inner.known_views, live_id, user_id, now).await?;
                    event::append_few(tx, &inner.db, &moved.events, now).await?;
                    let counters = counters.map(|before| Counters {
                        pv: before.pv + 1,
                        uv: before.uv + i64::from(is_new_visitor),
                        mics: before.mics,
                    });
                    Ok::<_, Error>(Joined { moved, is_new_visitor, counters })
                })
            })
            .await
    }

    /// Takes a user out of a room; harmless when they are not in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn leave(&self, live_id: &str, user_id: &str) -> Result<(), Error> {
        let inner = &self.0;
        let room = self.room(live_id).await?;
        let is_anchor = room.anchor_id == user_id;
        let now = inner.clock.now();
        // One statement needs no transaction around it.
        let is_out = !is_anchor
            && members::take_out_without_seat(&inner.db, inner.db.writer(), live_id, user_id, now).await?;
        if !is_out {
            let events = self.store_leave(live_id, user_id, is_anchor).await?;
            self.recount_seats(&events).await;
        }
        self.leave_cache(live_id, user_id).await;
        inner.im.take_out(live_id, user_id).await;
        inner.online.note(&room);
        Ok(())
    }

    /// A user has come into a room, maybe from another, which they hear no more.
    async fn people_changed(&self, room: &Arc<Room>, former: Option<&str>, user_id: &str) {
        let inner = &self.0;
        inner.online.note(room);
        if let Some(former) = former {
            inner.im.take_out(former, user_id).await;
            if let Ok(former) = self.room(former).await {
                inner.online.note(&former);
            }
        }
    }

    /// The leave of one who has more to give up than their place: a seat, or the role of the
    /// anchor. Answers what happened by it.
    async fn store_leave(&self, live_id: &str, user_id: &str, is_anchor: bool) -> Result<Vec<Event>, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let mut events = Vec::new();
                    let is_out = is_anchor
                        && members::take_out_without_seat(&inner.db, tx, live_id, user_id, now).await?;
                    if !is_out {
                        let Some(freed) = self.free_place(tx, live_id, user_id, now).await? else {
                            return Ok(events);
                        };
                        events = freed;
                    }
                    if is_anchor {
                        events.push((live_id.to_owned(), DomainEvent::AnchorLeft));
                    }
                    event::append_few(tx, &inner.db, &events, now).await?;
                    crash::point("live.left");
                    Ok::<_, Error>(events)
                })
            })
            .await
    }

    /// Puts a user into room `live_id`: their seat in another one is freed.
    pub(super) async fn store_move(
        &self,
        tx: &Tx<'_>,
        found: Option<Membership>,
        live_id: &str,
        user_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Moved, Error> {
        let db = &self.0.db;
        let left = found.as_ref().filter(|member| member.may_hold_seat && member.live_id != live_id);
        let left: Vec<Member> =
            left.map(|member| Member::new(&*member.live_id, user_id)).into_iter().collect();
        let mut events = self.free_seats(tx, &left, now).await?;
        let is_anchor = found.as_ref().is_some_and(|member| member.is_anchor);
        let former = members::store(db, tx, found, live_id, user_id, now).await?;
        if let Some(former) = former.as_ref().filter(|_| is_anchor) {
            events.push((former.clone(), DomainEvent::AnchorLeft));
        }
        Ok(Moved { former, events })
    }

    /// Whether a user is in a room. The table is asked only when the cache does not know of it,
    /// which may have lost its contents or be away.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_in_room(&self, live_id: &str, user_id: &str) -> Result<bool, Error> {
        let inner = &self.0;
        let member = Member { live_id: live_id.to_owned(), user_id: user_id.to_owned() };
        match inner.cache.present(&[member]).await {
            Ok(present) if present.contains(&true) => return Ok(true),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, live_id, "the table is asked who is in the room"),
        }
        let found = members::of_user(&inner.db, inner.db.primary(), user_id).await?;
        Ok(found.is_some_and(|member| member.is_online && member.live_id == live_id))
    }

    /// Records that a user in a room is there, and tells the state of the live.
    ///
    /// # Errors
    /// [`Error::NotInRoom`] for one who left or never came, [`Error::Cache`] while heartbeats
    /// cannot be stored.
    pub async fn heartbeat(&self, live_id: &str, user_id: &str) -> Result<HeartbeatView, Error> {
        let room = self.room(live_id).await?;
        let is_anchor = room.anchor_id == user_id;
        if !self.0.cache.heard(live_id, user_id, is_anchor).await? {
            self.bring_back(&room, user_id).await?;
        }
        Ok(HeartbeatView { live_id: room.live_id.clone(), live_status: room.status })
    }

    /// Brings back a user whom the cache does not know: one who timed out, or whose
    /// presence was lost.
    async fn bring_back(&self, room: &Room, user_id: &str) -> Result<(), Error> {
        let inner = &self.0;
        let db = &inner.db;
        let found = members::of_user(db, db.primary(), user_id).await?;
        let member = found.filter(|member| member.live_id == room.live_id).ok_or(Error::NotInRoom)?;
        if !member.is_online && !self.store_return(&member).await? {
            return Err(Error::NotInRoom);
        }
        let live_id = room.live_id.as_str();
        let enter = Enter { live_id, user_id, anchor_id: &room.anchor_id, ..Enter::default() };
        inner.cache.enter(enter).await?;
        if room.status == LiveStatus::Live && room.anchor_id == user_id {
            inner.cache.restore(&[], std::slice::from_ref(&room.live_id)).await?;
        }
        Ok(())
    }

    async fn store_return(&self, member: &Membership) -> Result<bool, Error> {
        let db = &self.0.db;
        let now = self.0.clock.now();
        Ok(members::set_online(db, db.writer(), &[member.row_id], &member.live_id, now).await? > 0)
    }

    /// How many users are in a room.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Cache`] while presence cannot be read.
    pub async fn online_count(&self, live_id: &str) -> Result<u64, Error> {
        let room = self.room(live_id).await?;
        let states = self.0.cache.room_states(&[(live_id, &room.anchor_id)]).await?;
        Ok(states.first().map_or(0, |state| state.online))
    }

    /// The users in a room, latest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn users(&self, live_id: &str, paging: Paging) -> Result<Page<UserView>, Error> {
        self.room(live_id).await?;
        let (total, ids) = members::page_of_room(self.0.db.reader(), live_id, paging).await?;
        let users = self.0.users.list(&ids).await?;
        Ok(Page::new(paging, total, users.iter().map(|user| UserView::of(user)).collect()))
    }
}
