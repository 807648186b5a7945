//! The end of PKs: asked for by an anchor, or because a room is over.

use super::error::Error;
use super::queries::{self, Change};
use super::service::{Parts, Relays, names, side_of};
use super::status::Status;
use crate::event::{self, DomainEvent, RelayRow};
use common::crash;

impl Relays {
    /// Ends a PK and frees both rooms, by one of its anchors; harmless when it is over.
    ///
    /// # Errors
    /// [`Error::NotInPk`], [`Error::NotFound`], or the store's.
    pub async fn stop(&self, sid: &str, caller: &str) -> Result<(), Error> {
        let relay = self.find(sid).await?;
        side_of(&relay, caller)?;
        self.end(&relay).await
    }

    /// Ends the PK that a room is in, which is over or deleted, and frees both rooms. A room that
    /// names a PK of others, or none that exists, is freed from it. Harmless when repeated.
    ///
    /// # Errors
    /// The store's; what was not done is done by the next call.
    pub async fn room_ended(&self, live_id: &str) -> Result<(), Error> {
        let Parts { db, lives, .. } = &*self.0;
        let sid = lives.pk_of(live_id).await?;
        if sid.is_empty() {
            return Ok(());
        }
        let found = queries::find(db, db.reader_for(true), &sid).await?;
        match found.filter(|relay| names(relay, live_id)) {
            Some(relay) => self.end(&relay).await,
            None => self.free(live_id, &sid).await,
        }
    }

    /// Ends a session, unless it is over, and frees the rooms that name it.
    async fn end(&self, relay: &RelayRow) -> Result<(), Error> {
        let Parts { db, clock, lives, .. } = &*self.0;
        let now = clock.now();
        let RelayRow { sid, init_room_id, recv_room_id, .. } = relay;
        let rooms = [init_room_id.as_str(), recv_room_id.as_str()];
        db.transaction(|tx| {
            Box::pin(async move {
                lives.unbind_pk(tx, &rooms, sid, now).await?;
                crash::point("relay.unbound");
                let relay = queries::find_for_update(db, tx, sid).await?.ok_or(Error::NotFound)?;
                if !Status::of_column(Some(relay.status)).is_over() {
                    let relay = Box::new(queries::update(db, tx, relay, Change::Stopped, now).await?);
                    event::append(tx, db, init_room_id, &DomainEvent::PkStopped { relay }, now).await?;
                }
                crash::point("relay.stop_announced");
                Ok::<_, Error>(())
            })
        })
        .await?;
        crash::point("relay.stopped");
        lives.pk_changed(rooms).await;
        Ok(())
    }

    async fn free(&self, live_id: &str, sid: &str) -> Result<(), Error> {
        let Parts { db, clock, lives, .. } = &*self.0;
        let now = clock.now();
        tracing::warn!(live_id, sid, "a room named a PK that is not its own, and is free now");
        db.transaction(|tx| {
            Box::pin(async move { Ok::<_, Error>(lives.unbind_pk(tx, &[live_id], sid, now).await?) })
        })
        .await?;
        lives.pk_changed([live_id, live_id]).await;
        Ok(())
    }
}
