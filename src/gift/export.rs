//! Gifts as an operator sees them, with their refunds.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::ledger::Ledger;
use super::row::{Gift, GiftStatus};
use super::{correction_queries, selection_queries as queries};

/// Which gifts an operator wants to see; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// In this status.
    pub status: Option<GiftStatus>,
    /// Only those that somebody should look at.
    pub is_flagged: bool,
    /// Of this room.
    pub live_id: Option<String>,
    /// Of this sender.
    pub user_id: Option<String>,
    /// To this anchor.
    pub anchor_id: Option<String>,
    /// Sent at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Sent before this time.
    pub to: Option<DateTime<Utc>>,
}

impl Selection {
    /// Whether it is read in the order of time.
    #[must_use]
    pub fn is_by_time(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}

/// Where a reader of gifts, the oldest first, has come to: the last one that they have.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    /// When it was sent.
    pub at: Option<DateTime<Utc>>,
    /// Its row.
    pub row_id: u32,
}

impl Cursor {
    /// The place of a gift.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self { at: entry.gift.created_at, row_id: entry.gift.row_id }
    }
}

/// A gift and what an operator did to it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The gift.
    pub gift: Gift,
    /// Its refund.
    pub refund: Option<Refund>,
}

/// A paid gift that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Who did it.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Ledger {
    /// The newest gifts of a selection, at most `limit`. Two statements.
    ///
    /// # Errors
    /// The store's.
    pub async fn newest(&self, selection: &Selection, limit: u64) -> Result<Vec<Entry>, Error> {
        self.with_refunds(queries::newest(&self.db, self.db.primary(), selection, limit).await?).await
    }

    /// The gifts of a selection that come after `last`, or the first ones, oldest first, at most `limit`.
    /// Two statements.
    ///
    /// # Errors
    /// The store's.
    pub async fn after(
        &self,
        selection: &Selection,
        last: Option<Cursor>,
        limit: u64,
    ) -> Result<Vec<Entry>, Error> {
        let conn = self.db.primary();
        self.with_refunds(queries::after(&self.db, conn, selection, last, limit).await?).await
    }

    pub(super) async fn with_refunds(&self, gifts: Vec<Gift>) -> Result<Vec<Entry>, Error> {
        let mut refunds = correction_queries::refunds(self.db.primary(), &gifts).await?;
        let entries = gifts.into_iter().map(|gift| {
            let refund = refunds.remove(&gift.sent.biz_id).map(|row| Refund {
                operator: row.operator,
                reason: row.reason,
                at: self.db.instant(row.created_at),
            });
            Entry { gift, refund }
        });
        Ok(entries.collect())
    }
}
