//! The rules of seats.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::dto::SeatView;
use super::error::Error;
use super::queries::{self, Change, Flags, Seat, SeatStatus};
use crate::event::{self, DomainEvent};
use crate::live::{LiveStatus, Lives};
use crate::media::{RtcRooms, RtcTokens};
use crate::user::{User, Users};
use common::clock::SharedClock;
use common::crash;
use common::text::Extends;
use store::cache::Member;
use store::db::Db;

/// What seats are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// The rooms.
    pub lives: Lives,
    /// The users.
    pub users: Users,
    /// Makes RTC tokens.
    pub tokens: Arc<RtcTokens>,
    /// Knows who is in an RTC room.
    pub rtc: RtcRooms,
}

/// The microphone seats; clones share everything.
#[derive(Clone)]
pub struct Mics(Arc<Parts>);

/// What a user may switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The microphone.
    Mic,
    /// The camera.
    Camera,
}

impl Mics {
    /// Seats made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Takes a seat, or replaces the flags of the one that the user is on; answers the token for
    /// the RTC room.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Forbidden`], [`Error::Ended`], or the store's.
    pub async fn up(&self, live_id: &str, user_id: &str, flags: Flags) -> Result<String, Error> {
        let Parts { db, clock, lives, tokens, rtc, .. } = &*self.0;
        if lives.room(live_id).await?.status == LiveStatus::Ended {
            return Err(Error::Ended);
        }
        let now = clock.now();
        let change = Change::Taken(flags.clone());
        let is_new = db
            .transaction(|tx| {
                let (flags, change) = (&flags, &change);
                Box::pin(async move {
                    if !lives.lock_for_seat(tx, live_id, user_id).await? {
                        return Err(Error::NotInRoom);
                    }
                    let seat = queries::find(tx, live_id, user_id).await?;
                    match &seat {
                        Some(Seat { status: SeatStatus::Forbidden, .. }) => return Err(Error::Forbidden),
                        Some(seat) => queries::update(db, tx, seat, change, now).await?,
                        None => {
                            let member = Member::new(live_id, user_id);
                            queries::insert(db, tx, &member, SeatStatus::On, flags, now).await?;
                        }
                    }
                    let is_new = seat.is_none_or(|seat| seat.status != SeatStatus::On);
                    if is_new {
                        let joined = DomainEvent::MicJoined { user_id: user_id.to_owned() };
                        event::append(tx, db, live_id, &joined, now).await?;
                    }
                    crash::point("mic.taken");
                    Ok(is_new)
                })
            })
            .await?;
        if is_new {
            lives.seats_changed(live_id).await;
            rtc.forget(live_id).await;
        }
        Ok(tokens.room_token(user_id, live_id, now))
    }

    /// Leaves the seat; harmless for one who is on none.
    ///
    /// # Errors
    /// When the room is unknown, or the store's.
    pub async fn down(&self, live_id: &str, user_id: &str) -> Result<(), Error> {
        self.0.lives.room(live_id).await?;
        self.set_status(live_id, user_id, SeatStatus::Left).await
    }

    /// Takes a guest off their seat, by the anchor.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], or as [`Mics::down`].
    pub async fn take_off(&self, live_id: &str, caller: &str, user_id: &str) -> Result<(), Error> {
        if self.0.lives.room(live_id).await?.anchor_id != caller {
            return Err(Error::NotAnchor);
        }
        self.set_status(live_id, user_id, SeatStatus::Left).await
    }

    /// Keeps a user off the seats of a room, and takes them off the one that they are on.
    ///
    /// # Errors
    /// When the room or the user is unknown, or the store's.
    pub async fn forbid(&self, live_id: &str, user_id: &str) -> Result<(), Error> {
        self.0.lives.room(live_id).await?;
        self.0.users.find(user_id).await?;
        self.set_status(live_id, user_id, SeatStatus::Forbidden).await
    }

    /// Lets a user take a seat again.
    ///
    /// # Errors
    /// As [`Mics::forbid`].
    pub async fn unforbid(&self, live_id: &str, user_id: &str) -> Result<(), Error> {
        let Parts { db, clock, lives, users, .. } = &*self.0;
        lives.room(live_id).await?;
        users.find(user_id).await?;
        let now = clock.now();
        db.transaction(|tx| {
            Box::pin(async move {
                lives.lock_user(tx, user_id).await?;
                let seat = queries::find(tx, live_id, user_id).await?;
                if let Some(seat) = seat.filter(|seat| seat.status == SeatStatus::Forbidden) {
                    queries::update(db, tx, &seat, &Change::Status(SeatStatus::Left), now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Ends a seat: it is left, or forbidden. One who is forbidden does not become one who left.
    async fn set_status(&self, live_id: &str, user_id: &str, to: SeatStatus) -> Result<(), Error> {
        let Parts { db, clock, lives, .. } = &*self.0;
        let now = clock.now();
        let was_on = db
            .transaction(|tx| {
                Box::pin(async move {
                    lives.lock_user(tx, user_id).await?;
                    let seat = queries::find(tx, live_id, user_id).await?;
                    let was_on = seat.as_ref().is_some_and(|seat| seat.status == SeatStatus::On);
                    match &seat {
                        Some(seat) if was_on || to == SeatStatus::Forbidden => {
                            queries::update(db, tx, seat, &Change::Status(to), now).await?;
                        }
                        None if to == SeatStatus::Forbidden => {
                            let member = Member::new(live_id, user_id);
                            queries::insert(db, tx, &member, to, &Flags::default(), now).await?;
                        }
                        _ => {}
                    }
                    if was_on {
                        let left = DomainEvent::MicLeft { user_id: user_id.to_owned() };
                        event::append(tx, db, live_id, &left, now).await?;
                    }
                    Ok::<_, Error>(was_on)
                })
            })
            .await?;
        if was_on {
            lives.seats_changed(live_id).await;
        }
        Ok(())
    }

    /// Replaces the map of a seat, by the user on it or the anchor.
    ///
    /// # Errors
    /// [`Error::NotAllowed`], [`Error::NoSeat`], or the store's.
    pub async fn set_extends(
        &self,
        live_id: &str,
        caller: &str,
        user_id: &str,
        extends: Extends,
    ) -> Result<(), Error> {
        self.change(live_id, caller, user_id, Change::Extends(extends)).await
    }

    /// Notes that a microphone or camera is on or off, by the user on the seat or the anchor.
    ///
    /// # Errors
    /// As [`Mics::set_extends`].
    pub async fn switch(
        &self,
        live_id: &str,
        caller: &str,
        user_id: &str,
        device: Device,
        is_on: bool,
    ) -> Result<(), Error> {
        let change = match device {
            Device::Mic => Change::Mic(is_on),
            Device::Camera => Change::Camera(is_on),
        };
        self.change(live_id, caller, user_id, change).await
    }

    async fn change(&self, live_id: &str, caller: &str, user_id: &str, change: Change) -> Result<(), Error> {
        let Parts { db, clock, lives, .. } = &*self.0;
        let room = lives.room(live_id).await?;
        if caller != user_id && caller != room.anchor_id {
            return Err(Error::NotAllowed);
        }
        let now = clock.now();
        db.transaction(|tx| {
            let change = &change;
            Box::pin(async move {
                lives.lock_user(tx, user_id).await?;
                let seat = queries::find(tx, live_id, user_id).await?;
                let seat = seat.filter(|seat| seat.status == SeatStatus::On).ok_or(Error::NoSeat)?;
                queries::update(db, tx, &seat, change, now).await?;
                Ok(())
            })
        })
        .await
    }

    /// The guests on seats who are in the RTC room, the oldest seat first; while that is not known,
    /// all guests on seats.
    ///
    /// # Errors
    /// When the room is unknown, or the store's.
    pub async fn list(&self, live_id: &str) -> Result<Vec<SeatView>, Error> {
        let Parts { db, lives, users, rtc, .. } = &*self.0;
        lives.room(live_id).await?;
        // Not from a copy of the database: who has just taken a seat wants to see it.
        let mut taken = queries::taken(db.primary(), live_id).await?;
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(online) = rtc.online(live_id).await {
            taken.retain(|seat| online.contains(&seat.user_id));
        }
        let ids: Vec<String> = taken.iter().map(|seat| seat.user_id.clone()).collect();
        let found = users.list(&ids).await?;
        let found: HashMap<&str, &Arc<User>> =
            found.iter().map(|user| (user.user_id.as_str(), user)).collect();
        let views = taken
            .into_iter()
            .filter_map(|seat| Some(SeatView::new(found.get(seat.user_id.as_str())?, seat.flags)));
        Ok(views.collect())
    }
}
