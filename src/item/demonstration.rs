//! The item that the anchor explains. A room explains one at a time, with or without recording it.

use chrono::{DateTime, Utc};

use super::demonstration_queries as demonstrations;
use super::error::Error;
use super::queries::{self, Wanted};
use super::service::{Items, Parts};
use super::view::{HIDDEN, ItemView, RecordView};
use crate::event::{self, DomainEvent};
use crate::live::{self, LiveStatus};
use store::db::{Db, Tx};

/// The kind of an event that ends explanations, as it is stored.
const ANCHOR_LEFT: &str = "anchor_left";
/// The kind of the event of an explanation that begins, as it is stored.
const BEGUN: &str = "item_demonstrated";

impl Items {
    /// The anchor explains this item from now on, and it is recorded when `is_recorded`. What was
    /// explained before ends, its recording too, which is then saved.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Hidden`], [`Error::Ended`], those of
    /// [`live::Lives::lock_for`], or the store's.
    pub async fn demonstrate(
        &self,
        live_id: &str,
        seller: Option<&str>,
        item_id: &str,
        is_recorded: bool,
    ) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let now = clock.now();
        let ended = db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = lives.lock_for(tx, live_id, seller).await?;
                    if room.status == LiveStatus::Ended {
                        return Err(Error::Ended);
                    }
                    let item = queries::find(tx, live_id, item_id).await?.ok_or(Error::NotFound)?;
                    if item.status.unwrap_or(HIDDEN) == HIDDEN {
                        return Err(Error::Hidden);
                    }
                    let former = demonstrations::demonstrated_for_update(tx, live_id).await?;
                    let ended = end_recordings(db, tx, live_id, now).await?;
                    match &former {
                        Some(_) => demonstrations::demonstrate(db, tx, live_id, item_id, now).await?,
                        None => demonstrations::demonstrate_first(db, tx, live_id, item_id, now).await?,
                    }
                    if is_recorded {
                        let record_id = demonstrations::begin(db, tx, live_id, item_id, now).await?;
                        queries::set_record(tx, item.id, record_id).await?;
                    }
                    let former = former.unwrap_or_default();
                    // What was explained before the anchor left is over, even where nobody has ended it
                    // yet: then the same item begins anew.
                    if former != item_id || event::awaits_reactions(tx, live_id, ANCHOR_LEFT).await? {
                        append_change(db, tx, live_id, &former, item_id, now).await?;
                    }
                    Ok::<_, Error>(ended)
                })
            })
            .await?;
        if !ended.is_empty() {
            self.save_recordings(live_id, &ended).await?;
        }
        Ok(())
    }

    /// Ends the explanation and its recording, which is saved now; the recording, if there is one. A
    /// recording that a crash left unsaved is saved as well.
    ///
    /// # Errors
    /// Those of [`live::Lives::lock_for`], or the store's. That it could not be saved is told by the
    /// recording.
    pub async fn end(&self, live_id: &str, seller: Option<&str>) -> Result<Option<RecordView>, Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let now = clock.now();
        let ended = db
            .transaction(|tx| {
                Box::pin(async move {
                    lives.lock_for(tx, live_id, seller).await?;
                    let former = demonstrations::demonstrated_for_update(tx, live_id).await?;
                    end_in(db, tx, live_id, &former.unwrap_or_default(), now).await
                })
            })
            .await?;
        self.save_recordings(live_id, &ended).await
    }

    /// Ends what a room explains, if anything, and saves its recording, since the anchor has left or the
    /// live is over, by the event at place `seq`; what began later goes on. May be done again; what a
    /// crash left unsaved is saved then. The room may be deleted already.
    ///
    /// # Errors
    /// The store's; what is left is done by the next call.
    pub async fn end_demonstration(&self, live_id: &str, seq: i64) -> Result<(), Error> {
        let Parts { db, lives, clock, .. } = &*self.0;
        let now = clock.now();
        let ended = db
            .transaction(|tx| {
                Box::pin(async move {
                    match lives.lock_for(tx, live_id, None).await {
                        // In a deleted room nothing begins any more.
                        Ok(_) | Err(live::Error::NotFound) => {}
                        Err(error) => return Err(error.into()),
                    }
                    let former = demonstrations::demonstrated_for_update(tx, live_id).await?;
                    let former = former.unwrap_or_default();
                    if !former.is_empty() && event::has_after(tx, live_id, seq, BEGUN).await? {
                        return Ok(Vec::new());
                    }
                    end_in(db, tx, live_id, &former, now).await
                })
            })
            .await?;
        self.save_recordings(live_id, &ended).await?;
        Ok(())
    }

    /// The item that a room explains, as `viewer` may see it; a backend without one sees all.
    ///
    /// # Errors
    /// Those of [`live::Lives::room`], or the store's.
    pub async fn demonstrated(&self, live_id: &str, viewer: Option<&str>) -> Result<Option<ItemView>, Error> {
        let Parts { db, pili, .. } = &*self.0;
        let sees_hidden = self.sees_hidden(live_id, viewer).await?;
        let url = |fname: &str| pili.playback_url(fname);
        let items = queries::list(db, db.reader_for(true), live_id, Wanted::Demonstrated, url).await?;
        Ok(items.into_iter().find(|item| sees_hidden || item.status != HIDDEN))
    }
}

/// Ends what a room explains, which is `former` or nothing, and its recordings; the ids of these.
async fn end_in(
    db: &Db,
    tx: &Tx<'_>,
    live_id: &str,
    former: &str,
    now: DateTime<Utc>,
) -> Result<Vec<u32>, Error> {
    let ended = end_recordings(db, tx, live_id, now).await?;
    if !former.is_empty() {
        demonstrations::demonstrate(db, tx, live_id, "", now).await?;
        append_change(db, tx, live_id, former, "", now).await?;
    }
    Ok(ended)
}

async fn end_recordings(db: &Db, tx: &Tx<'_>, live_id: &str, now: DateTime<Utc>) -> Result<Vec<u32>, Error> {
    let running = demonstrations::running(tx, live_id).await?;
    if !running.is_empty() {
        demonstrations::end(db, tx, &running, now).await?;
    }
    Ok(running)
}

/// Says which explanation ended and which began; empty ones are none.
async fn append_change(
    db: &Db,
    tx: &Tx<'_>,
    live_id: &str,
    former: &str,
    item_id: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if !former.is_empty() {
        let ended = DomainEvent::ItemDemonstrationEnded { item_id: former.to_owned() };
        event::append(tx, db, live_id, &ended, now).await?;
    }
    if !item_id.is_empty() {
        let begun = DomainEvent::ItemDemonstrated { item_id: item_id.to_owned() };
        event::append(tx, db, live_id, &begun, now).await?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_that_are_stored() {
        let begun = DomainEvent::ItemDemonstrated { item_id: "a".to_owned() };
        for (event, kind) in [(DomainEvent::AnchorLeft, ANCHOR_LEFT), (begun, BEGUN)] {
            assert_eq!(event.encode().unwrap().0, kind);
        }
    }
}
