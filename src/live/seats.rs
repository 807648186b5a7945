//! Microphone seats, as far as rooms know of them: a seat goes with the user's place in the room.

use std::collections::BTreeSet;
use std::pin::Pin;

use chrono::{DateTime, Utc};

use super::error::Error;
use super::members;
use super::service::Lives;
use crate::event::DomainEvent;
use store::cache::Member;
use store::db::{StoreError, Tx};
use telemetry::sampled;

/// The events by which seats became free, each with its room.
pub type Freed = Result<Vec<(String, DomainEvent)>, StoreError>;

/// The seats, which stand above this floor.
pub trait Seats: Send + Sync + 'static {
    /// Frees the seats that users hold in rooms which they leave, inside the transaction that takes
    /// them out; the caller appends the events. A few statements, however many they are.
    fn free<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        left: &'a [Member],
        now: DateTime<Utc>,
    ) -> Pin<Box<dyn Future<Output = Freed> + Send + 'a>>;
}

impl Lives {
    /// Keeps a user's joins, leaves and seats as they are until the transaction ends.
    ///
    /// # Errors
    /// The store's.
    pub async fn lock_user(&self, tx: &Tx<'_>, user_id: &str) -> Result<(), Error> {
        members::lock(&self.0.db, tx, user_id).await?;
        Ok(())
    }

    /// [`Lives::lock_user`], to give the user a seat that will be freed when they leave the room;
    /// false, and nothing noted, for one who is not in it.
    ///
    /// # Errors
    /// The store's.
    pub async fn lock_for_seat(&self, tx: &Tx<'_>, live_id: &str, user_id: &str) -> Result<bool, Error> {
        let found = members::lock_in_room(&self.0.db, tx, live_id, user_id).await?;
        let Some(member) = found.filter(|member| member.is_online) else { return Ok(false) };
        members::note_seat(tx, member.row_id).await?;
        Ok(true)
    }

    /// The number of seats taken in a room has changed, and is counted anew.
    pub async fn seats_changed(&self, live_id: &str) {
        if let Err(error) = self.0.cache.forget_counters(live_id).await {
            sampled!(warn, %error, live_id, "the number of seats is shown as before for a minute");
        }
    }

    pub(super) async fn free_seats(&self, tx: &Tx<'_>, left: &[Member], now: DateTime<Utc>) -> Freed {
        if left.is_empty() { Ok(Vec::new()) } else { self.0.seats.free(tx, left, now).await }
    }

    /// [`Lives::seats_changed`] for the rooms in which seats became free.
    pub(super) async fn recount_seats(&self, events: &[(String, DomainEvent)]) {
        let freed = events.iter().filter(|(_, event)| matches!(event, DomainEvent::MicLeft { .. }));
        let rooms: BTreeSet<&str> = freed.map(|(live_id, _)| live_id.as_str()).collect();
        for live_id in rooms {
            self.seats_changed(live_id).await;
        }
    }
}
