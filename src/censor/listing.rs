//! Lists for operators.

use super::dto::{ImageView, ReviewedRoomView};
use super::error::Error;
use super::image_queries as images;
use super::service::Reviews;
use crate::live::Reviewed;
use common::page::{Page, Paging};

impl Reviews {
    /// A page of reviewed rooms, the newest picture first. Three statements when the anchors are known.
    ///
    /// # Errors
    /// The store's.
    pub async fn rooms(&self, wanted: Reviewed, paging: Paging) -> Result<Page<ReviewedRoomView>, Error> {
        let (total, rooms) = self.0.lives.reviewed(wanted, paging).await?;
        let ids: Vec<&str> = rooms.iter().map(|row| row.room.live_id.as_str()).collect();
        let counts = images::counts(self.0.db.reader(), &ids).await?;
        let list = rooms.iter().map(|row| {
            let (pictures, violations) = counts.get(&row.room.live_id).copied().unwrap_or_default();
            ReviewedRoomView::new(row, pictures, violations)
        });
        Ok(Page::new(paging, total, list.collect()))
    }

    /// A page of pictures: all, those that wait, or those that are judged; of one room, or of all.
    ///
    /// # Errors
    /// The store's.
    pub async fn pictures(
        &self,
        is_done: Option<bool>,
        live_id: Option<&str>,
        paging: Paging,
    ) -> Result<Page<ImageView>, Error> {
        let db = &self.0.db;
        if live_id.is_some_and(|live_id| live_id.ends_with(' ')) {
            // MySQL leaves spaces at the end out of every comparison; no room's id has one.
            return Ok(Page::new(paging, 0, Vec::new()));
        }
        let wanted = images::Wanted { is_done, live_id };
        let (total, rows) = images::page(db, db.reader(), wanted, paging).await?;
        let list = rows.into_iter().map(|row| ImageView::new(row, |at| db.instant(at)));
        Ok(Page::new(paging, total, list.collect()))
    }

    /// How many pictures wait for an operator, 10,000 at most.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_waiting(&self) -> Result<u64, Error> {
        Ok(images::count_waiting(self.0.db.reader()).await?)
    }
}
