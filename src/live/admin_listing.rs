//! Rooms as those see them who run the installation.

use serde::Serialize;
use utoipa::ToSchema;

use super::admin_queries;
use super::dto::RoomView;
use super::error::Error;
use super::room::LiveStatus;
use super::service::Lives;
use common::page::{Page, Paging};

/// Lives of one anchor that are shown.
const MOST_LIVES: u64 = 100;

/// A room as an operator sees it: all that its anchor does, and who ended it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminRoom {
    /// The room, with its push URL.
    #[serde(flatten)]
    pub room: RoomView,
    /// Why it was ended, when not by its anchor; else empty.
    pub stop_reason: String,
    /// The administrator who ended it; else empty.
    pub stop_by: String,
}

impl AdminRoom {
    fn of(mut room: RoomView) -> Self {
        // An empty one is left out of the view, so that it is there once.
        let stop_reason = std::mem::take(&mut room.stop_reason);
        Self { stop_reason, stop_by: room.stop_user_id.clone(), room }
    }
}

impl Lives {
    /// A page of rooms of a status, or of all, the newest first; with a keyword those whose title, id or
    /// anchor's id begins with it.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_for_admin(
        &self,
        status: Option<LiveStatus>,
        keyword: Option<&str>,
        paging: Paging,
    ) -> Result<Page<AdminRoom>, Error> {
        let (total, rooms) = admin_queries::page(&self.0.db, status, keyword, paging).await?;
        let views = self.views(&rooms).await?;
        Ok(Page::new(paging, total, views.into_iter().map(AdminRoom::of).collect()))
    }

    /// A room.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn find_for_admin(&self, live_id: &str) -> Result<AdminRoom, Error> {
        Ok(AdminRoom::of(self.view(live_id).await?))
    }

    /// How many rooms are live.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_live(&self) -> Result<u64, Error> {
        Ok(admin_queries::count_live(self.0.db.primary()).await?)
    }

    /// How many users are in rooms: those whom the cache has heard, or, while it is away, those of whom
    /// the rows say so.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_online(&self) -> Result<u64, Error> {
        match self.0.cache.count_seen().await {
            Ok(count) => Ok(count),
            Err(error) => {
                tracing::debug!(%error, "users online are counted in the database");
                Ok(admin_queries::count_members(self.0.db.reader()).await?)
            }
        }
    }

    /// The ids of an anchor's live rooms, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn live_of_anchor(&self, anchor_id: &str) -> Result<Vec<String>, Error> {
        Ok(admin_queries::live_of_anchor(&self.0.db, anchor_id, MOST_LIVES).await?)
    }
}
