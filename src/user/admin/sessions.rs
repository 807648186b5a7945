//! Which tokens of administrators are good no longer: those of before a revocation, and those of who has
//! logged out. Both outlive the administrator's row, so that who is created again under an old id does not
//! bring old tokens back.

use std::sync::Arc;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{AdminError, Admins};
use crate::auth::{Accounts, Administrators, Done, IsEnded, Standing, StandingOf};
use store::db::StoreError;
use store::entity::{admin_ended_token as ended, admin_revocation as revocation, admin_user};

impl Admins {
    /// When a token that is issued now counts as issued, in Unix seconds: after the last revocation, though
    /// that be of this second.
    ///
    /// # Errors
    /// The store's.
    pub async fn issue_time(&self, user_id: &str) -> Result<i64, AdminError> {
        let revoked = revoked_at(self.db.reader_for(true), user_id).await?;
        let now = self.clock.now().timestamp();
        Ok(revoked.map_or(now, |revoked| now.max(revoked + 1)))
    }
}

/// Revokes the tokens that `user_id` has, in `second`.
pub(super) async fn revoke(tx: &impl ConnectionTrait, user_id: &str, second: i64) -> Result<(), StoreError> {
    // Those issued just after a revocation are dated one second later.
    let second = revoked_at(tx, user_id).await?.map_or(second, |revoked| second.max(revoked + 1));
    let row = revocation::ActiveModel { user_id: Set(user_id.to_owned()), revoked_at: Set(second) };
    let later = OnConflict::column(revocation::Column::UserId)
        .update_column(revocation::Column::RevokedAt)
        .to_owned();
    revocation::Entity::insert(row).on_conflict(later).exec_without_returning(tx).await?;
    Ok(())
}

async fn revoked_at(conn: &impl ConnectionTrait, user_id: &str) -> Result<Option<i64>, StoreError> {
    let row = revocation::Entity::find_by_id(user_id).one(conn).await?;
    Ok(row.map(|row| row.revoked_at))
}

impl Accounts for Admins {
    fn standing<'a>(&'a self, user_id: &'a str) -> StandingOf<'a> {
        Box::pin(async move {
            let found = self.find(admin_user::Column::UserId, user_id, |row| row.user_id.as_deref()).await?;
            if found.is_none() {
                return Ok(None);
            }
            let revoked_at = revoked_at(self.db.reader_for(true), user_id).await?;
            Ok(Some(Arc::new(Standing { ban: None, revoked_at })))
        })
    }
}

impl Administrators for Admins {
    fn is_ended<'a>(&'a self, hash: &'a str) -> IsEnded<'a> {
        Box::pin(async move {
            let row = ended::Entity::find_by_id(hash).one(self.db.reader_for(true)).await;
            Ok(row.map_err(StoreError::from)?.is_some())
        })
    }

    fn end<'a>(&'a self, hash: &'a str, expires_at: i64) -> Done<'a> {
        Box::pin(async move {
            let row = ended::ActiveModel { hash: Set(hash.to_owned()), expires_at: Set(expires_at) };
            let again =
                OnConflict::column(ended::Column::Hash).update_column(ended::Column::ExpiresAt).to_owned();
            let stored =
                ended::Entity::insert(row).on_conflict(again).exec_without_returning(self.db.writer());
            stored.await.map_err(StoreError::from)?;
            // What has expired anyway need not be remembered.
            let past = ended::Column::ExpiresAt.lt(self.clock.now().timestamp());
            let cleared = ended::Entity::delete_many().filter(past).exec(self.db.writer()).await;
            cleared.map_err(StoreError::from)?;
            Ok(())
        })
    }
}
