//! The gift types.

use std::sync::Arc;
use std::time::Duration;

use super::dto::{GiftType, SaveGiftType};
use super::error::Error;
use super::type_queries as queries;
use common::clock::SharedClock;
use store::cache::Cache;
use store::db::Db;
use store::lookup::Lookup;
use telemetry::sampled;

/// The topic under which changes of gift types are announced to all nodes.
pub const TOPIC: &str = "gift";

/// How long a type may be answered from memory; changes drop the entry on every node at once.
const LOOKUP_TTL: Duration = Duration::from_secs(30);
const LOOKUP_CAPACITY: u64 = 10_000;

/// The gift types; clones share everything.
#[derive(Clone)]
pub struct GiftTypes {
    db: Db,
    cache: Cache,
    clock: SharedClock,
    types: Lookup<GiftType>,
}

impl GiftTypes {
    /// The types in `db`.
    #[must_use]
    pub fn new(db: Db, cache: Cache, clock: SharedClock) -> Self {
        Self { db, cache, clock, types: Lookup::new(LOOKUP_CAPACITY, LOOKUP_TTL) }
    }

    /// The type `gift_id`.
    ///
    /// # Errors
    /// [`Error::NoType`], or the store's.
    pub async fn find(&self, gift_id: i32) -> Result<Arc<GiftType>, Error> {
        let load = queries::find(self.db.reader_for(true), gift_id);
        self.types.get(&gift_id.to_string(), load).await?.ok_or(Error::NoType)
    }

    /// All types, or those of one kind, by their order, then the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, kind: Option<i32>) -> Result<Vec<GiftType>, Error> {
        Ok(queries::list(self.db.reader(), kind).await?)
    }

    /// Stores types under their ids; of several with one id the last counts.
    ///
    /// # Errors
    /// The store's; then none is stored.
    pub async fn save(&self, types: &[SaveGiftType]) -> Result<(), Error> {
        queries::save(self.db.writer(), types, self.db.wall(self.clock.now())).await?;
        for saved in types {
            self.changed(saved.gift_id).await;
        }
        Ok(())
    }

    /// Deletes a type. Gifts of it that were sent stay.
    ///
    /// # Errors
    /// [`Error::NoType`], or the store's.
    pub async fn delete(&self, gift_id: i32) -> Result<(), Error> {
        let is_gone = queries::delete(self.db.writer(), gift_id, self.db.wall(self.clock.now())).await?;
        self.changed(gift_id).await;
        if is_gone { Ok(()) } else { Err(Error::NoType) }
    }

    async fn changed(&self, gift_id: i32) {
        let key = gift_id.to_string();
        self.types.forget(&key).await;
        if let Err(error) = self.cache.announce(TOPIC, &key).await {
            sampled!(warn, %error, "other nodes may know a gift type as before for {} s", LOOKUP_TTL.as_secs());
        }
    }

    /// Drops what is remembered of one type, or of all.
    pub async fn forget(&self, gift_id: Option<&str>) {
        match gift_id {
            Some(id) => self.types.forget(id).await,
            None => self.types.forget_all(),
        }
    }
}
