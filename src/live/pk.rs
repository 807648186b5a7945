//! What a PK does to its two rooms. The sessions themselves are the business of the feature above.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::room::Room;
use super::service::Lives;
use super::{pk_rows, queries};
use store::db::Tx;

impl Lives {
    /// The rooms `first` and `second`, locked until the transaction ends; always in one order, so
    /// that two transactions over the same rooms do not wait for each other.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one of them is not there, or the store's.
    pub async fn lock_two(&self, tx: &Tx<'_>, first: &str, second: &str) -> Result<(Room, Room), Error> {
        let (low, high) = if first <= second { (first, second) } else { (second, first) };
        let low = queries::find_for_update(&self.0.db, tx, low).await?.ok_or(Error::NotFound)?;
        let high = queries::find_for_update(&self.0.db, tx, high).await?.ok_or(Error::NotFound)?;
        Ok(if first <= second { (low, high) } else { (high, low) })
    }

    /// Binds locked rooms to the PK `sid`.
    ///
    /// # Errors
    /// The store's.
    pub async fn bind_pk(
        &self,
        tx: &Tx<'_>,
        rooms: [&Room; 2],
        sid: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row_ids = rooms.map(|room| room.row_id);
        pk_rows::set_pk(&self.0.db, tx, &row_ids, sid, now).await?;
        Ok(())
    }

    /// Locks the rooms, ended and deleted ones too, in the order of [`Lives::lock_two`], and frees
    /// those of them that are bound to the PK `sid`. Answers how many were.
    ///
    /// # Errors
    /// The store's.
    pub async fn unbind_pk(
        &self,
        tx: &Tx<'_>,
        live_ids: &[&str],
        sid: &str,
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let mut ordered = live_ids.to_vec();
        ordered.sort_unstable();
        ordered.dedup();
        let mut bound = Vec::with_capacity(ordered.len());
        for live_id in ordered {
            let found = pk_rows::lock_pk(tx, live_id).await?;
            bound.extend(found.filter(|(_, pk_id)| pk_id == sid).map(|(row_id, _)| row_id));
        }
        if !bound.is_empty() {
            pk_rows::set_pk(&self.0.db, tx, &bound, "", now).await?;
        }
        Ok(bound.len())
    }

    /// The PK that a room is bound to, ended and deleted rooms included; empty without one.
    ///
    /// # Errors
    /// The store's.
    pub async fn pk_of(&self, live_id: &str) -> Result<String, Error> {
        let db = &self.0.db;
        Ok(pk_rows::pk_of(db.reader_for(true), live_id).await?.unwrap_or_default())
    }

    /// After the commit: every node shows the rooms as they are now.
    pub async fn pk_changed(&self, live_ids: [&str; 2]) {
        for live_id in live_ids {
            self.changed(live_id).await;
        }
    }
}
