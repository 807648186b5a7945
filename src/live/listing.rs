//! Lists of rooms and the search.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::dto::RoomView;
use super::error::Error;
use super::page_queries::{self, RoomFilter};
use super::queries;
use super::room::Wanted;
use super::service::Lives;
use common::page::{Page, Paging};

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

    /// The ids of live rooms in pages: those whose row comes after `row_id`, with where to go on
    /// when there may be more.
    ///
    /// # Errors
    /// The store's.
    pub async fn live_after(&self, row_id: u32, limit: usize) -> Result<(Option<u32>, Vec<String>), Error> {
        Ok(queries::live_after(self.0.db.primary(), row_id, limit).await?)
    }

    /// The ids of rooms that have ended since `since`, as [`Self::live_after`].
    ///
    /// # Errors
    /// The store's.
    pub async fn ended_after(
        &self,
        row_id: u32,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<(Option<u32>, Vec<String>), Error> {
        let db = &self.0.db;
        Ok(queries::ended_after(db.primary(), row_id, db.wall(since), limit).await?)
    }

    /// Which of `live_ids` are rooms; at most one statement, for those not seen lately.
    ///
    /// # Errors
    /// The store's.
    pub async fn existing<'a>(&self, live_ids: &BTreeSet<&'a str>) -> Result<BTreeSet<&'a str>, Error> {
        let (mut found, mut unseen) = (BTreeSet::new(), Vec::new());
        for live_id in live_ids {
            if self.0.rooms.peek(live_id).await.is_some() {
                found.insert(*live_id);
            } else {
                unseen.push(*live_id);
            }
        }
        if !unseen.is_empty() {
            let rooms = queries::existing(self.0.db.primary(), &unseen).await?;
            found.extend(unseen.into_iter().filter(|id| rooms.iter().any(|room| room == id)));
        }
        Ok(found)
    }

    async fn page(
        &self,
        filter: &RoomFilter<'_>,
        viewer: &str,
        paging: Paging,
    ) -> Result<Page<RoomView>, Error> {
        let db = &self.0.db;
        let (total, rooms) = page_queries::page(db, db.reader(), filter, paging).await?;
        let views = self.views(&rooms).await?;
        Ok(Page::new(paging, total, views.into_iter().map(|view| view.shown_to(viewer)).collect()))
    }
}
