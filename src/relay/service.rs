//! The rules of PKs: their start and life. Their end is in `stop.rs`.

use std::sync::Arc;

use super::dto::{PkView, StartPk, StartedView};
use super::error::Error;
use super::queries::{self, Change};
use super::status::{Side, Status};
use crate::event::{self, DomainEvent, RelayRow};
use crate::live::{LiveStatus, Lives, Room};
use crate::media::RtcTokens;
use common::clock::SharedClock;
use common::crash;
use common::id::IdGenerator;
use common::text::{self, Extends};
use store::db::{Db, Tx};

/// What PKs are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// Issues session ids.
    pub ids: Arc<IdGenerator>,
    /// The rooms.
    pub lives: Lives,
    /// Makes RTC tokens.
    pub tokens: Arc<RtcTokens>,
}

/// The PKs; clones share everything.
#[derive(Clone)]
pub struct Relays(pub(super) Arc<Parts>);

impl Relays {
    /// PKs made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Starts a PK of two live rooms, on which their anchors have agreed; of several starts at the
    /// same time over one room, one wins.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], [`Error::NotLive`], [`Error::Busy`], [`Error::Invalid`], when a room is
    /// unknown, or the store's.
    pub async fn start(&self, caller: &str, new: StartPk) -> Result<PkView, Error> {
        let Parts { db, clock, ids, lives, .. } = &*self.0;
        // Who may not is told so first, whatever else is wrong.
        if lives.room(&new.init_room_id).await?.anchor_id != caller {
            return Err(Error::NotAnchor);
        }
        if new.init_room_id == new.recv_room_id {
            return Err(Error::Invalid("recv_room_id: must be another room than init_room_id"));
        }
        if new.recv_user_id == caller {
            return Err(Error::Invalid("recv_user_id: must be another user than the caller"));
        }
        let now = clock.now();
        let draft = RelayRow {
            sid: ids.next()?.to_string(),
            init_user_id: caller.to_owned(),
            init_room_id: new.init_room_id,
            recv_user_id: new.recv_user_id,
            recv_room_id: new.recv_room_id,
            extends: new.extends,
            status: Status::Agreed.column(),
            ..RelayRow::default()
        };
        let started = db
            .transaction(|tx| {
                let draft = &draft;
                Box::pin(async move {
                    let (init, recv) = lives.lock_two(tx, &draft.init_room_id, &draft.recv_room_id).await?;
                    self.check_start(tx, draft, [&init, &recv]).await?;
                    let relay = queries::insert(db, tx, draft, now).await?;
                    lives.bind_pk(tx, [&init, &recv], &draft.sid, now).await?;
                    crash::point("relay.bound");
                    let started = DomainEvent::PkStarted { relay: Box::new(relay.clone()) };
                    event::append(tx, db, &draft.init_room_id, &started, now).await?;
                    crash::point("relay.start_announced");
                    Ok::<_, Error>(relay)
                })
            })
            .await;
        crash::point("relay.started");
        // A node that began a PK and died before it could announce it leaves that to who finds it.
        if matches!(started, Ok(_) | Err(Error::Busy(_))) {
            lives.pk_changed([&draft.init_room_id, &draft.recv_room_id]).await;
        }
        Ok(self.view(&started?, Side::Init))
    }

    /// Whether the rooms, which are locked, may begin the PK `draft`.
    async fn check_start(&self, tx: &Tx<'_>, draft: &RelayRow, rooms: [&Room; 2]) -> Result<(), Error> {
        let [init, recv] = rooms;
        if init.anchor_id != draft.init_user_id {
            return Err(Error::NotAnchor);
        }
        if recv.anchor_id != draft.recv_user_id {
            return Err(Error::Invalid("recv_user_id: is not the anchor of recv_room_id"));
        }
        if let Some(room) = rooms.into_iter().find(|room| room.status != LiveStatus::Live) {
            return Err(Error::NotLive(room.live_id.clone()));
        }
        let bound: Vec<&Room> = rooms.into_iter().filter(|room| !room.pk_id.is_empty()).collect();
        if bound.is_empty() {
            return Ok(());
        }
        // An adopted room may name a session that is over, which holds it no more.
        let sids: Vec<&str> = bound.iter().map(|room| room.pk_id.as_str()).collect();
        let running = queries::running(&self.0.db, tx, &sids).await?;
        let is_held = |room: &&&Room| {
            running.iter().any(|relay| relay.sid == room.pk_id && names(relay, &room.live_id))
        };
        match bound.iter().find(is_held) {
            Some(room) => Err(Error::Busy(room.live_id.clone())),
            None => Ok(()),
        }
    }

    /// The PK `sid`, for anybody.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn find(&self, sid: &str) -> Result<RelayRow, Error> {
        let db = &self.0.db;
        queries::find(db, db.primary(), sid).await?.ok_or(Error::NotFound)
    }

    /// The PK with a token for the other room, for one of its anchors.
    ///
    /// # Errors
    /// [`Error::NotInPk`], [`Error::Over`], [`Error::NotFound`], or the store's.
    pub async fn token(&self, sid: &str, caller: &str) -> Result<PkView, Error> {
        let relay = self.find(sid).await?;
        let side = side_of(&relay, caller)?;
        running(&relay)?;
        Ok(self.view(&relay, side))
    }

    /// Notes that the caller publishes in the other room; again changes nothing.
    ///
    /// # Errors
    /// As [`Relays::token`].
    pub async fn report_started(&self, sid: &str, caller: &str) -> Result<StartedView, Error> {
        let Parts { db, clock, .. } = &*self.0;
        let now = clock.now();
        let relay = db
            .transaction(|tx| {
                Box::pin(async move {
                    let relay = queries::find_for_update(db, tx, sid).await?.ok_or(Error::NotFound)?;
                    let side = side_of(&relay, caller)?;
                    let status = running(&relay)?;
                    let next = status.after_report(side);
                    if next == status {
                        return Ok(relay);
                    }
                    Ok::<_, Error>(queries::update(db, tx, relay, Change::Status(next), now).await?)
                })
            })
            .await?;
        Ok(StartedView { relay_id: relay.sid, relay_status: relay.status })
    }

    /// Sets keys of a PK's map, by one of its anchors or, without one, by a backend. Both rooms are
    /// told those that changed.
    ///
    /// # Errors
    /// [`Error::Extends`] when the map gets too long, else as [`Relays::token`].
    pub async fn set_extends(
        &self,
        sid: &str,
        anchor: Option<&str>,
        extends: Option<Extends>,
    ) -> Result<(), Error> {
        let Parts { db, clock, .. } = &*self.0;
        let now = clock.now();
        let given = extends.unwrap_or_default();
        db.transaction(|tx| {
            let given = &given;
            Box::pin(async move {
                let relay = queries::find_for_update(db, tx, sid).await?.ok_or(Error::NotFound)?;
                if let Some(anchor) = anchor {
                    side_of(&relay, anchor)?;
                }
                running(&relay)?;
                let mut merged = relay.extends.clone().unwrap_or_default();
                let changed: Extends = given
                    .iter()
                    .filter(|(key, value)| merged.get(*key) != Some(value))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                if changed.is_empty() {
                    return Ok(());
                }
                merged.extend(changed.clone());
                text::check_extends(&merged).map_err(Error::Extends)?;
                let relay = queries::update(db, tx, relay, Change::Extends(&merged), now).await?;
                event::append_all(tx, db, &told_to_both(relay, changed), now).await?;
                Ok::<_, Error>(())
            })
        })
        .await
    }

    fn view(&self, relay: &RelayRow, side: Side) -> PkView {
        let Parts { clock, tokens, .. } = &*self.0;
        let (user_id, other_room) = match side {
            Side::Init => (&relay.init_user_id, &relay.recv_room_id),
            Side::Recv => (&relay.recv_user_id, &relay.init_room_id),
        };
        PkView {
            relay_id: relay.sid.clone(),
            relay_status: relay.status,
            relay_token: tokens.room_token(user_id, other_room, clock.now()),
        }
    }
}

/// Whether the PK is one of the room.
pub(super) fn names(relay: &RelayRow, live_id: &str) -> bool {
    relay.init_room_id == live_id || relay.recv_room_id == live_id
}

/// Which of the two anchors calls.
pub(super) fn side_of(relay: &RelayRow, caller: &str) -> Result<Side, Error> {
    if relay.init_user_id == caller {
        Ok(Side::Init)
    } else if relay.recv_user_id == caller {
        Ok(Side::Recv)
    } else {
        Err(Error::NotInPk)
    }
}

/// The status of a PK that must not be over.
fn running(relay: &RelayRow) -> Result<Status, Error> {
    let status = Status::of_column(Some(relay.status));
    if status.is_over() { Err(Error::Over) } else { Ok(status) }
}

/// The event in the partition of each room.
fn told_to_both(relay: RelayRow, extends: Extends) -> [(String, DomainEvent); 2] {
    let RelayRow { sid, init_room_id, recv_room_id, .. } = relay;
    let rooms = [init_room_id.clone(), recv_room_id.clone()];
    let changed = DomainEvent::PkExtendsChanged { sid, init_room_id, recv_room_id, extends };
    rooms.map(|room| (room, changed.clone()))
}
