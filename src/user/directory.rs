//! The users as those see them who run the installation.

use std::collections::HashMap;

use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use super::bans::end_in_seconds;
use super::service::{Error, Users};
use common::page::{Page, Paging};
use common::text::Extends;
use store::db::{Dialect, StoreError, bounded_page};
use store::entity::live_users::{Column, Entity, Model};
use store::entity::user_ban;

/// A user as an operator sees them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminUser {
    /// The app's own id.
    pub user_id: String,
    /// Name to show.
    pub nick: String,
    /// Picture.
    pub avatar: String,
    /// Flat map of the app's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// Account number in the IM service, 0 while there is none.
    pub im_userid: i64,
    /// When they were registered, Unix seconds.
    pub created_at: Option<i64>,
    /// Until when they are banned from the platform, Unix seconds; 0 is forever, null not banned.
    pub banned_until: Option<i64>,
}

impl Users {
    /// A page of users, the newest first; with a keyword those whose id or nick begins with it.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_for_admin(
        &self,
        keyword: Option<&str>,
        paging: Paging,
    ) -> Result<Page<AdminUser>, Error> {
        let conn = self.db.primary();
        let mut wanted = Entity::find().filter(Column::DeletedAt.is_null());
        if let Some(keyword) = keyword {
            wanted = wanted.filter(begins_with(keyword, self.db.dialect()));
        }
        let newest = wanted.order_by_desc(Column::Id);
        let (total, rows) = bounded_page(conn, newest, paging.offset(), paging.size).await?;
        Ok(Page::new(paging, total, self.shown(conn, rows).await?))
    }

    /// A user.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn find_for_admin(&self, user_id: &str) -> Result<AdminUser, Error> {
        let conn = self.db.primary();
        let exact = Expr::cust(self.db.dialect().bytewise("`user_id`")).eq(user_id);
        let wanted = Entity::find().filter(Column::UserId.eq(user_id)).filter(exact);
        let row = wanted.filter(Column::DeletedAt.is_null()).one(conn).await.map_err(StoreError::from)?;
        let row = row.ok_or(Error::NotFound)?;
        self.shown(conn, vec![row]).await?.pop().ok_or(Error::NotFound)
    }

    /// With one statement for the bans of all.
    async fn shown(
        &self,
        conn: &impl ConnectionTrait,
        rows: Vec<Model>,
    ) -> Result<Vec<AdminUser>, StoreError> {
        let ids = rows.iter().filter_map(|row| row.user_id.as_deref());
        let bans = bans_of(conn, ids.collect(), self.clock.now_ms()).await?;
        let text = Option::<String>::unwrap_or_default;
        let view = |row: Model| {
            let user_id = text(row.user_id);
            AdminUser {
                banned_until: bans.get(&user_id).copied(),
                user_id,
                nick: text(row.nick),
                avatar: text(row.avatar),
                extends: row.extends.and_then(|map| serde_json::from_value(map).ok()),
                im_userid: row.im_userid.unwrap_or_default(),
                created_at: row.created_at.map(|at| self.db.instant(at).timestamp()),
            }
        };
        Ok(rows.into_iter().map(view).collect())
    }
}

/// Until when each of those is banned who is.
async fn bans_of(
    conn: &impl ConnectionTrait,
    user_ids: Vec<&str>,
    now_ms: i64,
) -> Result<HashMap<String, i64>, StoreError> {
    use user_ban::{Column, Entity};
    if user_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Entity::find().filter(Column::UserId.is_in(user_ids)).filter(super::bans::is_on(now_ms));
    let rows = rows.all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.user_id, end_in_seconds(row.until_ms.unwrap_or_default()))).collect())
}

/// Nicks are searched as people type; ids are compared byte by byte.
fn begins_with(keyword: &str, dialect: Dialect) -> Condition {
    Condition::any()
        .add(dialect.starts_with(Column::UserId, keyword))
        .add(dialect.starts_with_folded(Column::Nick, keyword))
}
