//! Statements on `live_users`.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef, Select,
};

use super::dto::UpdateUser;
use super::{User, bans};
use crate::auth::AccountStatus;
use common::text::Extends;
use config::Secret;
use store::db::{StoreError, WallTime};
use store::entity::live_users::{ActiveModel, Column, Entity, Model};
use store::entity::user_ban;

/// The user `user_id` and how they stand; a collation may bring another one, who does not count.
pub async fn find(
    conn: &impl ConnectionTrait,
    user_id: &str,
) -> Result<Option<(User, AccountStatus)>, StoreError> {
    let banned: RelationDef =
        Entity::belongs_to(user_ban::Entity).from(Column::UserId).to(user_ban::Column::UserId).into();
    let with_ban = present().join(JoinType::LeftJoin, banned).select_also(user_ban::Entity);
    let row = with_ban.filter(Column::UserId.eq(user_id)).one(conn).await?;
    let found = row.map(|(row, ban)| (user(row), bans::status(ban)));
    Ok(found.filter(|(user, _)| user.user_id == user_id))
}

/// The user `user_id`, locked until the transaction ends.
pub async fn find_for_update(tx: &impl ConnectionTrait, user_id: &str) -> Result<Option<User>, StoreError> {
    let row = present().filter(Column::UserId.eq(user_id)).lock_exclusive().one(tx).await?;
    Ok(row.map(user).filter(|user| user.user_id == user_id))
}

/// The users among `user_ids`, in any order, and perhaps others that a collation equals to them.
pub async fn find_many(conn: &impl ConnectionTrait, user_ids: &[&str]) -> Result<Vec<User>, StoreError> {
    let rows = present().filter(Column::UserId.is_in(user_ids.iter().copied())).all(conn).await?;
    Ok(rows.into_iter().map(user).collect())
}

/// The users with these IM account numbers.
pub async fn find_by_im(conn: &impl ConnectionTrait, im_userids: &[i64]) -> Result<Vec<User>, StoreError> {
    let rows = present().filter(Column::ImUserid.is_in(im_userids.iter().copied())).all(conn).await?;
    Ok(rows.into_iter().map(user).collect())
}

/// Those of `user_ids` that are taken, by deleted users too.
pub async fn existing(conn: &impl ConnectionTrait, user_ids: &[&str]) -> Result<Vec<String>, StoreError> {
    let wanted = Entity::find().filter(Column::UserId.is_in(user_ids.iter().copied()));
    let taken: Vec<Option<String>> =
        wanted.select_only().column(Column::UserId).into_tuple().all(conn).await?;
    Ok(taken.into_iter().flatten().collect())
}

/// Stores new users, in one statement.
pub async fn insert(conn: &impl ConnectionTrait, users: &[User], now: WallTime) -> Result<(), StoreError> {
    let rows = users.iter().map(|user| ActiveModel {
        user_id: Set(Some(user.user_id.clone())),
        nick: Set(Some(user.nick.clone())),
        avatar: Set(Some(user.avatar.clone())),
        extends: Set(user.extends.as_ref().map(|map| serde_json::json!(map))),
        im_userid: Set(Some(user.im_userid)),
        im_username: Set(Some(user.im_username.clone())),
        im_password: Set(Some(user.im_password.expose().to_owned())),
        created_at: Set(Some(now)),
        updated_at: Set(Some(now)),
        ..ActiveModel::default()
    });
    Entity::insert_many(rows).exec_without_returning(conn).await?;
    Ok(())
}

/// Stores the IM account of a user who has none yet; whether this was the one to be stored.
pub async fn set_im_account(conn: &impl ConnectionTrait, user: &User) -> Result<bool, StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::ImUserid, Expr::value(user.im_userid))
        .col_expr(Column::ImUsername, Expr::value(user.im_username.as_str()))
        .col_expr(Column::ImPassword, Expr::value(user.im_password.expose()));
    let has_none = Column::ImUserid.is_null().or(Column::ImUserid.eq(0));
    let stored = change.filter(Column::Id.eq(user.row_id).and(has_none)).exec(conn).await?;
    Ok(stored.rows_affected > 0)
}

/// Changes a user; empty fields are left alone.
pub async fn update(
    tx: &impl ConnectionTrait,
    user: &User,
    change: &UpdateUser,
    extends: Option<Extends>,
    now: WallTime,
) -> Result<(), StoreError> {
    let mut update = Entity::update_many().col_expr(Column::UpdatedAt, Expr::value(now));
    if let Some(nick) = change.nick.as_deref().filter(|nick| !nick.is_empty()) {
        update = update.col_expr(Column::Nick, Expr::value(nick));
    }
    if let Some(avatar) = change.avatar.as_deref().filter(|avatar| !avatar.is_empty()) {
        update = update.col_expr(Column::Avatar, Expr::value(avatar));
    }
    if let Some(map) = extends {
        update = update.col_expr(Column::Extends, Expr::value(serde_json::json!(map)));
    }
    update.filter(Column::Id.eq(user.row_id)).exec(tx).await?;
    Ok(())
}

fn present() -> Select<Entity> {
    Entity::find().filter(Column::DeletedAt.is_null())
}

fn user(row: Model) -> User {
    let text = Option::<String>::unwrap_or_default;
    User {
        row_id: row.id,
        user_id: text(row.user_id),
        nick: text(row.nick),
        avatar: text(row.avatar),
        extends: row.extends.and_then(|map| serde_json::from_value(map).ok()),
        im_userid: row.im_userid.unwrap_or_default(),
        im_username: text(row.im_username),
        im_password: Secret::new(text(row.im_password)),
    }
}
