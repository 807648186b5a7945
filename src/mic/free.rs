//! Freeing the seats of those who leave, for the floor below.

use std::pin::Pin;

use chrono::{DateTime, Utc};

use super::queries;
use crate::event::DomainEvent;
use crate::live::{Freed, Seats};
use store::cache::Member;
use store::db::{Db, Tx};

/// Frees seats inside the transactions of rooms.
#[derive(Clone, Debug)]
pub struct SeatsOfLeavers(Db);

impl SeatsOfLeavers {
    /// Over `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self(db)
    }
}

impl Seats for SeatsOfLeavers {
    fn free<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        left: &'a [Member],
        now: DateTime<Utc>,
    ) -> Pin<Box<dyn Future<Output = Freed> + Send + 'a>> {
        Box::pin(async move {
            let freed = queries::free(&self.0, tx, left, now).await?;
            let event = |Member { live_id, user_id }| (live_id, DomainEvent::MicLeft { user_id });
            Ok(freed.into_iter().map(event).collect())
        })
    }
}
