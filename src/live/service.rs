//! The rooms: what they are made of, look-up, creation.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::dto::{CreateRoom, RoomView};
use super::error::Error;
use super::online::OnlineNotices;
use super::queries;
use super::room::{LiveStatus, Room};
use super::seats::Seats;
use crate::event::{self, DomainEvent};
use crate::im::Im;
use crate::media::{Pili, RtcTokens};
use crate::user::Users;
use common::clock::SharedClock;
use common::id::IdGenerator;
use common::text::Extends;
use store::cache::Cache;
use store::db::{Db, Tx};
use store::lookup::Lookup;
use store::statistics::KnownRows;
use telemetry::sampled;

/// The topic under which changes of rooms are announced to all nodes.
pub const TOPIC: &str = "live";

/// How long a room may be answered from memory; changes drop the entry on every node at once.
const LOOKUP_TTL: Duration = Duration::from_secs(30);
const LOOKUP_CAPACITY: u64 = 100_000;

/// What rooms are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The cache.
    pub cache: Cache,
    /// The clock.
    pub clock: SharedClock,
    /// Issues room ids.
    pub ids: Arc<IdGenerator>,
    /// The users.
    pub users: Users,
    /// Makes chat rooms.
    pub im: Im,
    /// Makes publish and play URLs.
    pub pili: Arc<Pili>,
    /// Makes RTC tokens.
    pub rtc: Arc<RtcTokens>,
    /// Frees the microphone seats of those who leave.
    pub seats: Arc<dyn Seats>,
}

/// The rooms; clones share everything.
#[derive(Clone)]
pub struct Lives(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub db: Db,
    pub cache: Cache,
    pub clock: SharedClock,
    pub users: Users,
    pub pili: Arc<Pili>,
    pub rooms: Lookup<Room>,
    /// Rooms that were last seen with [`store::cache::CROWDED_VIEWS`] or more.
    pub crowded: Lookup<()>,
    /// Views that are in the table.
    pub known_views: KnownRows,
    pub online: OnlineNotices,
    ids: Arc<IdGenerator>,
    pub im: Im,
    pub rtc: Arc<RtcTokens>,
    pub seats: Arc<dyn Seats>,
}

impl Lives {
    /// Rooms made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { db, cache, clock, ids, users, im, pili, rtc, seats } = parts;
        let rooms = Lookup::new(LOOKUP_CAPACITY, LOOKUP_TTL);
        let crowded = Lookup::new(LOOKUP_CAPACITY, LOOKUP_TTL);
        let known_views = KnownRows::default();
        let online = OnlineNotices::new(cache.clone(), im.clone());
        Self(Arc::new(Inner {
            db,
            cache,
            clock,
            users,
            pili,
            rooms,
            crowded,
            known_views,
            online,
            ids,
            im,
            rtc,
            seats,
        }))
    }

    /// The room `live_id`.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn room(&self, live_id: &str) -> Result<Arc<Room>, Error> {
        let load = queries::find(&self.0.db, self.0.db.primary(), live_id);
        self.0.rooms.get(live_id, load).await?.ok_or(Error::NotFound)
    }

    /// The room `live_id`, also when it is deleted; None when there never was one.
    ///
    /// # Errors
    /// The store's.
    pub async fn room_even_deleted(&self, live_id: &str) -> Result<Option<Arc<Room>>, Error> {
        match self.room(live_id).await {
            Ok(room) => return Ok(Some(room)),
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
        let db = &self.0.db;
        Ok(queries::find_even_deleted(db, db.primary(), live_id).await?.map(Arc::new))
    }

    /// Creates a room for `anchor_id`, with its chat room and URLs.
    ///
    /// # Errors
    /// When the anchor is unknown, or the IM service cannot make the chat room: then nothing is
    /// stored.
    pub async fn create(&self, anchor_id: &str, new: CreateRoom) -> Result<RoomView, Error> {
        let inner = &self.0;
        let anchor = inner.users.find(anchor_id).await?;
        if anchor.im_userid == 0 {
            return Err(Error::NoImAccount);
        }
        let live_id = inner.ids.next()?.to_string();
        let chat_id = inner.im.create_chatroom(anchor.im_userid, &live_id).await?;
        let now = inner.clock.now();
        let room = self.draft(live_id, anchor_id, chat_id, new, now);
        inner
            .db
            .transaction(|tx| {
                let room = &room;
                Box::pin(async move {
                    let row = queries::insert(&inner.db, tx, room, now).await?;
                    let created = DomainEvent::LiveCreated { room: Box::new(row) };
                    event::append(tx, &inner.db, &room.live_id, &created, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(RoomView::new(&room, &anchor, super::dto::RoomFigures::default()))
    }

    fn draft(
        &self,
        live_id: String,
        anchor_id: &str,
        chat_id: i64,
        new: CreateRoom,
        now: DateTime<Utc>,
    ) -> Room {
        let pili = &self.0.pili;
        let expire_at = new.publish_expire_at.and_then(|time| time.0);
        Room {
            row_id: 0,
            push_url: pili.publish_url(&live_id, expire_at, now),
            rtmp_url: pili.rtmp_url(&live_id),
            flv_url: pili.flv_url(&live_id),
            hls_url: pili.hls_url(&live_id),
            live_id,
            title: new.title,
            notice: new.notice.unwrap_or_default(),
            cover_url: new.cover_url.unwrap_or_default(),
            extends: new.extends,
            anchor_id: anchor_id.to_owned(),
            status: LiveStatus::Created,
            pk_id: String::new(),
            start_at: new.start_at.and_then(|time| time.0),
            end_at: new.end_at.and_then(|time| time.0),
            chat_id,
            stop_reason: String::new(),
            stop_user_id: String::new(),
            stop_at: None,
        }
    }

    /// Replaces the room's map.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], or the store's.
    pub async fn set_extends(
        &self,
        live_id: &str,
        caller: &str,
        extends: Option<Extends>,
    ) -> Result<(), Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let extends = extends.unwrap_or_default();
        inner
            .db
            .transaction(|tx| {
                let extends = &extends;
                Box::pin(async move {
                    let room = self.lock_own(tx, live_id, caller).await?;
                    queries::set_extends(&inner.db, tx, room.row_id, extends, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        self.changed(live_id).await;
        Ok(())
    }

    pub(super) async fn lock_own(&self, tx: &Tx<'_>, live_id: &str, caller: &str) -> Result<Room, Error> {
        self.lock_for(tx, live_id, Some(caller)).await
    }

    /// Locks the room until the transaction ends, for this feature and for those whose rows hang on
    /// the room; a caller who is given must be its anchor.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAnchor`], or the store's.
    pub async fn lock_for(&self, tx: &Tx<'_>, live_id: &str, caller: Option<&str>) -> Result<Room, Error> {
        let room = queries::find_for_update(&self.0.db, tx, live_id).await?.ok_or(Error::NotFound)?;
        match caller {
            Some(caller) if room.anchor_id != caller => Err(Error::NotAnchor),
            _ => Ok(room),
        }
    }

    pub(super) async fn changed(&self, live_id: &str) {
        self.0.rooms.forget(live_id).await;
        if let Err(error) = self.0.cache.announce(TOPIC, live_id).await {
            sampled!(warn, %error, live_id, "other nodes may show a room as before for {} s", LOOKUP_TTL.as_secs());
        }
    }

    /// An anchor that stays watched is found ended by the job and dropped then.
    pub(super) async fn unwatch(&self, live_ids: &[&str]) {
        if let Err(error) = self.0.cache.anchor_unwatch(live_ids).await {
            tracing::debug!(%error, "ended lives are still watched");
        }
    }

    /// Drops what is remembered of `live_id`, or of all rooms.
    pub async fn forget(&self, live_id: Option<&str>) {
        match live_id {
            Some(id) => self.0.rooms.forget(id).await,
            None => self.0.rooms.forget_all(),
        }
    }
}
