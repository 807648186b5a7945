//! The rules of items: what a room sells, and in which order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::dto::{ItemStatus, NewItem, UpdateItem};
use super::error::Error;
use super::order::{self, Orders};
use super::queries::{self, Place, Wanted};
use super::view::ItemView;
use super::{demonstration_queries, dto::ItemOrder};
use crate::live::Lives;
use crate::media::{Pili, PiliSaveAs};
use common::clock::SharedClock;
use common::text::{self, Extends};
use store::db::Db;
use store::entity::items::Column;

/// How many items a room may have.
pub const MOST_ITEMS: usize = 100;

/// What items are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: SharedClock,
    /// The rooms.
    pub lives: Lives,
    /// Names streams, and where recordings are played.
    pub pili: Arc<Pili>,
    /// Saves recordings.
    pub save_as: PiliSaveAs,
}

/// The items of rooms; clones share everything.
///
/// Whoever changes something is a `seller`: the user who has to be the room's anchor, or `None` for a
/// business backend. Every change locks the room first, so that changes of one room follow each other.
#[derive(Clone)]
pub struct Items(pub(super) Arc<Parts>);

impl Items {
    /// Items made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Appends items to a room, each with the next order.
    ///
    /// # Errors
    /// [`Error::Exceeded`], [`Error::Exists`], [`Error::Order`] when no order is left, those of
    /// [`Lives::lock_for`], or the store's.
    pub async fn add(&self, live_id: &str, seller: Option<&str>, items: &[NewItem]) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let now = clock.now();
        db.transaction(|tx| {
            Box::pin(async move {
                lives.lock_for(tx, live_id, seller).await?;
                check_room_for(&queries::places(tx, live_id).await?, items)?;
                let last_order = queries::highest_order(tx, live_id).await?;
                if u32::try_from(items.len()).ok().and_then(|more| last_order.checked_add(more)).is_none() {
                    return Err(Error::Order(format!("order: {last_order} is taken, and none is above it")));
                }
                queries::insert(db, tx, live_id, items, last_order, now).await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes items out of a room, but for the one that is being demonstrated and those that it does not
    /// have.
    ///
    /// # Errors
    /// Those of [`Lives::lock_for`], or the store's.
    pub async fn delete(&self, live_id: &str, seller: Option<&str>, items: &[String]) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let (now, wanted) = (clock.now(), items.iter().map(String::as_str).collect::<HashSet<_>>());
        let wanted = &wanted;
        db.transaction(|tx| {
            Box::pin(async move {
                lives.lock_for(tx, live_id, seller).await?;
                let demonstrated = demonstration_queries::demonstrated_for_update(tx, live_id).await?;
                let mut places = queries::places(tx, live_id).await?;
                places.retain(|place| {
                    wanted.contains(place.item_id.as_str()) && demonstrated.as_ref() != Some(&place.item_id)
                });
                let row_ids: Vec<u32> = places.iter().map(|place| place.row_id).collect();
                if !row_ids.is_empty() {
                    queries::delete(db, tx, &row_ids, now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Gives items other states. Those that the room does not have are passed over; of an item that is
    /// there twice the last one counts.
    ///
    /// # Errors
    /// Those of [`Lives::lock_for`], or the store's.
    pub async fn set_statuses(
        &self,
        live_id: &str,
        seller: Option<&str>,
        statuses: &[ItemStatus],
    ) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let now = clock.now();
        let wanted: HashMap<&str, u32> =
            statuses.iter().map(|wanted| (wanted.item_id.as_str(), wanted.status)).collect();
        let wanted = &wanted;
        db.transaction(|tx| {
            Box::pin(async move {
                lives.lock_for(tx, live_id, seller).await?;
                let places = queries::places(tx, live_id).await?;
                let values = places.iter().filter_map(|place| {
                    wanted.get(place.item_id.as_str()).map(|status| (place.row_id, *status))
                });
                let values: Vec<(u32, u32)> = values.collect();
                queries::set_each(db, tx, Column::Status, &values, now).await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives items other orders. Those that the room does not have are passed over.
    ///
    /// # Errors
    /// [`Error::Order`] when an item or an order is there twice, or an order is that of an item which
    /// keeps it; those of [`Lives::lock_for`], or the store's.
    pub async fn set_orders(
        &self,
        live_id: &str,
        seller: Option<&str>,
        orders: &Orders,
    ) -> Result<(), Error> {
        let orders: &[ItemOrder] = &orders.0;
        self.reorder(live_id, seller, |places| order::replaced(places, orders).map_err(Error::Order)).await
    }

    /// Moves an item from the order `from` to the order `to`; those between shift by one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Order`] when the item's order is not `from`, or `to` is the same;
    /// those of [`Lives::lock_for`], or the store's.
    pub async fn move_item(
        &self,
        live_id: &str,
        seller: Option<&str>,
        item_id: &str,
        from: u32,
        to: u32,
    ) -> Result<(), Error> {
        self.reorder(live_id, seller, |places| {
            let item = places.iter().find(|place| place.item_id == item_id).ok_or(Error::NotFound)?;
            order::moved(places, item, from, to).map_err(Error::Order)
        })
        .await
    }

    async fn reorder(
        &self,
        live_id: &str,
        seller: Option<&str>,
        changes: impl Fn(&[Place]) -> Result<Vec<(u32, u32)>, Error> + Send + Sync,
    ) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let (now, changes) = (clock.now(), &changes);
        db.transaction(|tx| {
            Box::pin(async move {
                lives.lock_for(tx, live_id, seller).await?;
                let places = queries::places(tx, live_id).await?;
                queries::set_each(db, tx, Column::Order, &changes(&places)?, now).await?;
                Ok(())
            })
        })
        .await
    }

    /// Changes an item: absent and empty fields are left alone, `extends` is merged key by key.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Extends`] when the merged map is too large, those of
    /// [`Lives::lock_for`], or the store's.
    pub async fn update(
        &self,
        live_id: &str,
        seller: Option<&str>,
        item_id: &str,
        change: &UpdateItem,
    ) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let now = clock.now();
        db.transaction(|tx| {
            Box::pin(async move {
                lives.lock_for(tx, live_id, seller).await?;
                let item = queries::find(tx, live_id, item_id).await?.ok_or(Error::NotFound)?;
                let extends = merge(item.extends, change.extends.as_ref())?;
                queries::update(db, tx, item.id, change, extends.as_ref(), now).await?;
                Ok(())
            })
        })
        .await
    }

    /// The items of a room, the demonstrated one first, then the highest order first; hidden ones only
    /// for its anchor and, without a `viewer`, for backends.
    ///
    /// # Errors
    /// Those of [`Lives::room`], or the store's.
    pub async fn list(&self, live_id: &str, viewer: Option<&str>) -> Result<Vec<ItemView>, Error> {
        let db = &self.0.db;
        let sells = self.sees_hidden(live_id, viewer).await?;
        let wanted = if sells { Wanted::All } else { Wanted::Shown };
        // Who sells sees what they have just changed.
        let conn = if sells { db.primary() } else { db.reader() };
        Ok(queries::list(db, conn, live_id, wanted, |fname| self.0.pili.playback_url(fname)).await?)
    }

    /// Whether one may see the hidden items of a room.
    pub(super) async fn sees_hidden(&self, live_id: &str, viewer: Option<&str>) -> Result<bool, Error> {
        let room = self.0.lives.room(live_id).await?;
        Ok(viewer.is_none_or(|viewer| viewer == room.anchor_id))
    }
}

/// Whether new items fit to those that a room has.
fn check_room_for(places: &[Place], items: &[NewItem]) -> Result<(), Error> {
    if places.len() + items.len() > MOST_ITEMS {
        return Err(Error::Exceeded);
    }
    let mut taken: HashSet<&str> = places.iter().map(|place| place.item_id.as_str()).collect();
    if items.iter().all(|item| taken.insert(&item.item_id)) { Ok(()) } else { Err(Error::Exists) }
}

/// The stored map with the keys of the change, when the change has any.
fn merge(stored: Option<String>, change: Option<&Extends>) -> Result<Option<Extends>, Error> {
    let Some(change) = change.filter(|map| !map.is_empty()) else { return Ok(None) };
    let mut merged = text::extends_of_column(stored).unwrap_or_default();
    merged.extend(change.clone());
    text::check_extends(&merged).map_err(Error::Extends)?;
    Ok(Some(merged))
}
