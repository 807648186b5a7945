//! Reading gifts that were sent.

use super::dto::GiftView;
use super::error::Error;
use super::queries::{self, Whose};
use super::service::Gifts;
use common::page::{Page, Paging};

impl Gifts {
    /// The gift `biz_id`; a `reader` who is given must be its sender.
    ///
    /// # Errors
    /// [`Error::NoGift`], [`Error::NotSender`], or the store's.
    pub async fn find(&self, biz_id: &str, reader: Option<&str>) -> Result<GiftView, Error> {
        let db = &self.0.db;
        let gift = queries::find(db, db.primary(), biz_id).await?.ok_or(Error::NoGift)?;
        if reader.is_some_and(|reader| reader != gift.sent.user_id) {
            return Err(Error::NotSender);
        }
        Ok(gift.into())
    }

    /// A page of the gifts of a room, for its anchor, the newest first.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], `live::Error::NotFound`, or the store's.
    pub async fn of_room_for(
        &self,
        live_id: &str,
        caller: &str,
        paging: Paging,
    ) -> Result<Page<GiftView>, Error> {
        if self.0.lives.room(live_id).await?.anchor_id != caller {
            return Err(Error::NotAnchor);
        }
        self.page(Whose::Room(live_id), paging).await
    }

    /// A page of the gifts of a room, the newest first; of a deleted room too.
    ///
    /// # Errors
    /// `live::Error::NotFound` when there is neither a gift nor a room, or the store's.
    pub async fn of_room(&self, live_id: &str, paging: Paging) -> Result<Page<GiftView>, Error> {
        let page = self.page(Whose::Room(live_id), paging).await?;
        if page.total_count == 0 {
            self.0.lives.room(live_id).await?;
        }
        Ok(page)
    }

    /// A page of the gifts to `user_id`, the newest first.
    ///
    /// # Errors
    /// `user::Error::NotFound` when there is neither a gift nor a user, or the store's.
    pub async fn received(&self, user_id: &str, paging: Paging) -> Result<Page<GiftView>, Error> {
        self.page_of_user(Whose::Anchor(user_id), user_id, paging).await
    }

    /// A page of the gifts of `user_id`, the newest first.
    ///
    /// # Errors
    /// As [`Gifts::received`].
    pub async fn given(&self, user_id: &str, paging: Paging) -> Result<Page<GiftView>, Error> {
        self.page_of_user(Whose::Sender(user_id), user_id, paging).await
    }

    async fn page_of_user(
        &self,
        whose: Whose<'_>,
        user_id: &str,
        paging: Paging,
    ) -> Result<Page<GiftView>, Error> {
        let page = self.page(whose, paging).await?;
        if page.total_count == 0 {
            self.0.users.find(user_id).await?;
        }
        Ok(page)
    }

    async fn page(&self, whose: Whose<'_>, paging: Paging) -> Result<Page<GiftView>, Error> {
        let db = &self.0.db;
        let (total, gifts) = queries::page(db, db.reader(), whose, paging).await?;
        Ok(Page::new(paging, total, gifts.into_iter().map(GiftView::from).collect()))
    }
}
