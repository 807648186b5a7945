//! Where many users are by the tables, for nodes that compare their connections with them.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::error::Error;
use super::service::Lives;
use store::db::StoreError;
use store::entity::live_room_user_entities::{Column, Entity};

impl Lives {
    /// The rooms of `user_ids` by the writable database, in one statement: where each is, or was until they
    /// timed out. Whoever left or was taken out has none.
    ///
    /// # Errors
    /// The store's.
    pub async fn rooms_of(&self, user_ids: &[&str]) -> Result<HashMap<String, Vec<String>>, Error> {
        let rows: Vec<(Option<String>, Option<String>)> = Entity::find()
            .select_only()
            .columns([Column::UserId, Column::LiveId])
            .filter(Column::UserId.is_in(user_ids.iter().copied()))
            .into_tuple()
            .all(self.0.db.primary())
            .await
            .map_err(StoreError::from)?;
        let mut rooms: HashMap<String, Vec<String>> = HashMap::with_capacity(rows.len());
        for (user_id, live_id) in rows {
            let (Some(user_id), Some(live_id)) = (user_id, live_id) else { continue };
            if !live_id.is_empty() {
                rooms.entry(user_id).or_default().push(live_id);
            }
        }
        Ok(rooms)
    }

    /// Drops the presence of a user in a room where the tables do not have them: the cache was away when they left.
    pub async fn forget_presence(&self, live_id: &str, user_id: &str) {
        self.leave_cache(live_id, user_id).await;
    }
}
