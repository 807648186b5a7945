//! Statements on `gift_config`.

use std::collections::{BTreeSet, HashMap};

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::dto::{GiftType, SaveGiftType};
use common::text::{extends_column, extends_of_column};
use store::db::{StoreError, WallTime};
use store::entity::gift_config::{ActiveModel, Column, Entity, Model};

/// The gift type `gift_id`, unless it is deleted.
pub async fn find(conn: &impl ConnectionTrait, gift_id: i32) -> Result<Option<GiftType>, StoreError> {
    let wanted = Entity::find().filter(Column::GiftId.eq(gift_id)).filter(Column::DeletedAt.is_null());
    Ok(wanted.one(conn).await?.map(shown))
}

/// All gift types, or those of one kind, by their order, then the newest first.
pub async fn list(conn: &impl ConnectionTrait, kind: Option<i32>) -> Result<Vec<GiftType>, StoreError> {
    let mut wanted = Entity::find().filter(Column::DeletedAt.is_null());
    if let Some(kind) = kind {
        wanted = wanted.filter(Column::Kind.eq(kind));
    }
    let ordered =
        wanted.order_by_asc(Column::Order).order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    Ok(ordered.all(conn).await?.into_iter().map(shown).collect())
}

/// The names of gift types, of deleted ones too, by their ids.
pub async fn names(
    conn: &impl ConnectionTrait,
    gift_ids: &BTreeSet<i32>,
) -> Result<HashMap<i32, String>, StoreError> {
    if gift_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = Entity::find().filter(Column::GiftId.is_in(gift_ids.iter().copied()));
    let names = wanted.select_only().column(Column::GiftId).column(Column::Name);
    let names: Vec<(i32, String)> = names.into_tuple().all(conn).await?;
    Ok(names.into_iter().collect())
}

/// Stores gift types under their ids, in one statement. One that was deleted is there again; one that
/// was there counts as the newest, as QNLiveKit_Server has it.
pub async fn save(
    conn: &impl ConnectionTrait,
    types: &[SaveGiftType],
    now: WallTime,
) -> Result<(), StoreError> {
    let rows = types.iter().map(|new| ActiveModel {
        gift_id: Set(new.gift_id),
        kind: Set(new.kind),
        name: Set(new.name.clone()),
        amount: Set(new.amount),
        img: Set(new.img.clone()),
        animation_type: Set(new.animation_type),
        animation_img: Set(new.animation_img.clone()),
        order: Set(new.order),
        created_at: Set(Some(now)),
        updated_at: Set(Some(now)),
        deleted_at: Set(None),
        extends: Set(new.extends.as_ref().map(extends_column)),
        ..ActiveModel::default()
    });
    let columns = [
        Column::Kind,
        Column::Name,
        Column::Amount,
        Column::Img,
        Column::AnimationType,
        Column::AnimationImg,
        Column::Order,
        Column::CreatedAt,
        Column::UpdatedAt,
        Column::DeletedAt,
        Column::Extends,
    ];
    let conflict = OnConflict::column(Column::GiftId).update_columns(columns).to_owned();
    Entity::insert_many(rows).on_conflict(conflict).exec_without_returning(conn).await?;
    Ok(())
}

/// Deletes a gift type; whether it was there.
pub async fn delete(conn: &impl ConnectionTrait, gift_id: i32, now: WallTime) -> Result<bool, StoreError> {
    let change = Entity::update_many().col_expr(Column::DeletedAt, Expr::value(now));
    let present = change.filter(Column::GiftId.eq(gift_id)).filter(Column::DeletedAt.is_null());
    Ok(present.exec(conn).await?.rows_affected > 0)
}

fn shown(row: Model) -> GiftType {
    GiftType {
        gift_id: row.gift_id,
        kind: row.kind,
        name: row.name,
        amount: row.amount,
        img: row.img,
        animation_type: row.animation_type,
        animation_img: row.animation_img,
        order: row.order,
        extends: extends_of_column(row.extends),
    }
}
