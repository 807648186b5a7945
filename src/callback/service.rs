//! What operators can see and do about callbacks.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use utoipa::ToSchema;

use super::queries;
use crate::event::{Backlog, CALLBACKS, backlog, oldest_waiting};
use common::clock::SharedClock;
use common::failure::{Failure, Kind};
use common::page::{Page, Paging};
use store::db::{Db, RetryableError, StoreError};
use store::entity::callback_delivery::Model;
use store::fence::{Fence, LeaseLost};

/// Rows of one transaction of [`Deliveries::drop_old`].
const BATCH: u64 = 1000;
/// How long callbacks that failed for good are kept at least.
const KEEP_FAILED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where a callback that left its partition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is tried again by itself.
    Pending,
    /// Its attempts are used up, or the receiver does not want it.
    Failed,
    /// The receiver took it.
    Delivered,
}

impl State {
    pub(super) fn column(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Failed => 1,
            Self::Delivered => 2,
        }
    }

    fn of_column(value: i32) -> Self {
        match value {
            0 => Self::Pending,
            2 => Self::Delivered,
            _ => Self::Failed,
        }
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
        }
    }
}

/// A callback that left its partition, as operators see it. Times are Unix seconds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// The id under which the receiver gets it.
    pub webhook_id: String,
    /// The room.
    pub live_id: String,
    /// The event's place among the room's.
    pub seq: i64,
    /// `type` of the callback.
    pub kind: String,
    /// Where it stands.
    pub state: State,
    /// Attempts so far; from 0 on after [`Deliveries::retry`].
    pub attempts: i32,
    /// When it is tried next, for one that is pending.
    pub next_at: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: String,
    /// When the event happened.
    pub event_at: i64,
    /// When anything about it changed.
    pub updated_at: i64,
}

/// Which callbacks a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this state.
    pub state: Option<State>,
    /// Only of this room.
    pub live_id: Option<String>,
}

/// What waits in the partitions of rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Waiting {
    /// Rooms with at least one event.
    pub rooms: u64,
    /// Events, those of which nobody is told included.
    pub events: u64,
}

/// Why something about callbacks cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No callback of this id has left its partition.
    #[error("there is no such callback, or it has not failed three times")]
    NotFound,
    /// The receiver has it.
    #[error("it was delivered")]
    Delivered,
    /// A node is just delivering it.
    #[error("it is being delivered")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This node does not lead.
    #[error(transparent)]
    Lost(#[from] LeaseLost),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Delivered | Self::Busy => Kind::State,
            Self::Store(error) => error.kind(),
            Self::Lost(_) => Kind::Internal,
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) | Self::Lost(LeaseLost::Store(error)) if error.is_retryable())
    }
}

/// Callbacks that left their partitions. Cheap to clone.
#[derive(Clone)]
pub struct Deliveries {
    db: Db,
    clock: SharedClock,
}

impl Deliveries {
    /// Those in `db`.
    #[must_use]
    pub fn new(db: Db, clock: SharedClock) -> Self {
        Self { db, clock }
    }

    /// Up to `limit` of them, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, filter: &Filter, limit: u64) -> Result<Vec<Delivery>, Error> {
        let rows = queries::list(self.db.primary(), filter, limit).await?;
        Ok(rows.into_iter().map(|row| self.shown(row)).collect())
    }

    /// A page of them, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn page(&self, filter: &Filter, paging: Paging) -> Result<Page<Delivery>, Error> {
        let (total, rows) = queries::page(self.db.primary(), filter, paging).await?;
        Ok(Page::new(paging, total, rows.into_iter().map(|row| self.shown(row)).collect()))
    }

    fn shown(&self, row: Model) -> Delivery {
        Delivery {
            webhook_id: row.webhook_id,
            live_id: row.live_id,
            seq: row.seq,
            kind: row.kind,
            state: State::of_column(row.state),
            attempts: row.attempts,
            next_at: row.due.map(|ms| ms.div_euclid(1000)),
            last_error: row.last_error,
            event_at: self.db.instant(row.event_at).timestamp(),
            updated_at: self.db.instant(row.updated_at).timestamp(),
        }
    }

    /// What waits in the partitions of rooms, in its order.
    ///
    /// # Errors
    /// The store's.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        let Backlog { rooms, events } = backlog(&self.db, CALLBACKS).await?;
        Ok(Waiting { rooms, events })
    }

    /// Sends one again at once, under the same id and with all its attempts before it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Delivered`], [`Error::Busy`], or the store's.
    pub async fn retry(&self, webhook_id: &str) -> Result<(), Error> {
        if queries::retry(&self.db, Some(webhook_id), self.clock.now()).await? > 0 {
            return Ok(());
        }
        let row = queries::find(self.db.writer(), webhook_id).await?;
        match row.map(|row| State::of_column(row.state)) {
            None => Err(Error::NotFound),
            Some(State::Delivered) => Err(Error::Delivered),
            Some(_) => Err(Error::Busy),
        }
    }

    /// Sends all again that failed for good; answers how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn retry_all_failed(&self) -> Result<u64, Error> {
        Ok(queries::retry(&self.db, None, self.clock.now()).await?)
    }

    /// How many are kept as failed.
    ///
    /// # Errors
    /// The store's.
    pub async fn failed(&self) -> Result<u64, Error> {
        Ok(queries::count(self.db.primary(), State::Failed).await?)
    }

    /// How many callbacks are still to be delivered, in partitions or in the retry queue, and how old the oldest is.
    ///
    /// # Errors
    /// The store's.
    pub async fn backlog(&self) -> Result<(u64, TimeDelta), Error> {
        let alone = queries::count(self.db.primary(), State::Pending).await?;
        let oldest = [queries::oldest_pending(&self.db).await?, oldest_waiting(&self.db, CALLBACKS).await?];
        let oldest = oldest.into_iter().flatten().min();
        let age = oldest.map_or_else(TimeDelta::zero, |at| (self.clock.now() - at).max(TimeDelta::zero()));
        Ok((alone + self.waiting().await?.events, age))
    }

    /// Deletes those delivered more than `keep` ago, and those failed more than 30 days (or `keep`, if
    /// that is longer) ago; answers how many.
    ///
    /// # Errors
    /// [`Error::Lost`] when this node does not lead any more, or the store's.
    pub async fn drop_old(&self, fence: &dyn Fence, keep: Duration) -> Result<u64, Error> {
        let mut dropped = 0;
        for (state, keep) in [(State::Delivered, keep), (State::Failed, keep.max(KEEP_FAILED))] {
            let before = self.clock.now() - keep;
            loop {
                let db = &self.db;
                let batch = db.transaction(|tx| {
                    Box::pin(async move {
                        fence.check(tx).await?;
                        Ok::<_, Error>(queries::delete_old(db, tx, state, before, BATCH).await?)
                    })
                });
                let count = batch.await?;
                dropped += count;
                if count < BATCH {
                    break;
                }
            }
        }
        Ok(dropped)
    }
}
