//! Lists of rooms and the search.

use super::dto::RoomView;
use super::error::Error;
use super::queries::{self, RoomFilter};
use super::room::Wanted;
use super::service::Lives;
use crate::rest::{Page, Paging};

impl Lives {
    /// A page of rooms as `viewer` may see them, newest update first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, wanted: Wanted, viewer: &str, paging: Paging) -> Result<Page<RoomView>, Error> {
        self.page(&RoomFilter::Status(wanted), viewer, paging).await
    }

    /// A page of the caller's own rooms, newest start first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_own(&self, anchor_id: &str, paging: Paging) -> Result<Page<RoomView>, Error> {
        self.page(&RoomFilter::Anchor(anchor_id), anchor_id, paging).await
    }

    /// A page of live rooms whose title, id or anchor's id starts with `keyword`.
    ///
    /// # Errors
    /// The store's.
    pub async fn search(&self, keyword: &str, viewer: &str, paging: Paging) -> Result<Page<RoomView>, Error> {
        self.page(&RoomFilter::Prefix(keyword), viewer, paging).await
    }

    async fn page(
        &self,
        filter: &RoomFilter<'_>,
        viewer: &str,
        paging: Paging,
    ) -> Result<Page<RoomView>, Error> {
        let db = &self.0.db;
        let (total, rooms) = queries::page(db, db.reader(), filter, paging).await?;
        let views = self.views(&rooms).await?;
        Ok(Page::new(paging, total, views.into_iter().map(|view| view.shown_to(viewer)).collect()))
    }
}
