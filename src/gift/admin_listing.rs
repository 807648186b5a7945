//! Gifts as operators see them: with the names of their types, their refunds, and how many there are to
//! see to.

use std::collections::BTreeSet;

use super::admin_dto::AdminGift;
use super::error::Error;
use super::export::{Entry, Selection};
use super::ledger::Ledger;
use super::service::Gifts;
use super::{queries, selection_queries, type_queries};
use common::page::{Page, Paging};

impl Gifts {
    /// A page of a selection, the newest first. At most four statements.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_for_admin(
        &self,
        selection: &Selection,
        paging: Paging,
    ) -> Result<Page<AdminGift>, Error> {
        let (total, entries) = self.ledger().page(selection, paging).await?;
        Ok(Page::new(paging, total, self.with_names(entries).await?))
    }

    /// The gift `biz_id`.
    ///
    /// # Errors
    /// [`Error::NoGift`], or the store's.
    pub async fn find_for_admin(&self, biz_id: &str) -> Result<AdminGift, Error> {
        let entry = self.ledger().entry(biz_id).await?;
        self.with_names(vec![entry]).await?.pop().ok_or(Error::NoGift)
    }

    async fn with_names(&self, entries: Vec<Entry>) -> Result<Vec<AdminGift>, Error> {
        let ids: BTreeSet<i32> = entries.iter().map(|entry| entry.gift.sent.gift_id).collect();
        let names = type_queries::names(self.0.db.primary(), &ids).await?;
        let named = entries.into_iter().map(|entry| {
            let name = names.get(&entry.gift.sent.gift_id).cloned().unwrap_or_default();
            AdminGift::new(entry, name)
        });
        Ok(named.collect())
    }
}

impl Ledger {
    /// A page of a selection, the newest first, and how many rows all pages have.
    async fn page(&self, selection: &Selection, paging: Paging) -> Result<(u64, Vec<Entry>), Error> {
        let conn = self.db.primary();
        let (total, gifts) = selection_queries::page_of(&self.db, conn, selection, paging).await?;
        Ok((total, self.with_refunds(gifts).await?))
    }

    async fn entry(&self, biz_id: &str) -> Result<Entry, Error> {
        let gift = queries::find(&self.db, self.db.primary(), biz_id).await?.ok_or(Error::NoGift)?;
        self.with_refunds(vec![gift]).await?.pop().ok_or(Error::NoGift)
    }

    /// How many gifts wait for their outcome, and how many somebody should look at; of each 10,000 at most.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_to_see(&self) -> Result<(u64, u64), Error> {
        Ok(selection_queries::count_to_see(&self.db, self.db.primary()).await?)
    }
}
