//! Statements on `banned_word`.

use std::collections::HashSet;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use common::page::Paging;
use store::db::{StoreError, WallTime};
use store::entity::banned_word::{ActiveModel, Column, Entity, Model};

/// All words.
pub async fn all(conn: &impl ConnectionTrait) -> Result<Vec<String>, StoreError> {
    let words = Entity::find().select_only().column(Column::Word).order_by_asc(Column::Id);
    Ok(words.into_tuple().all(conn).await?)
}

/// Lets those who add words come one after another, once there are some.
pub async fn lock(tx: &impl ConnectionTrait) -> Result<(), StoreError> {
    Entity::find().order_by_asc(Column::Id).limit(1).lock_exclusive().one(tx).await?;
    Ok(())
}

/// How many words there are.
pub async fn count(conn: &impl ConnectionTrait) -> Result<u64, StoreError> {
    Ok(Entity::find().count(conn).await?)
}

/// Stores those of `words` that are not there yet; how many.
pub async fn insert_missing(
    tx: &impl ConnectionTrait,
    words: &[String],
    by_user: &str,
    now: WallTime,
) -> Result<u64, StoreError> {
    let there = Entity::find().filter(Column::Word.is_in(words));
    let there: Vec<String> = there.select_only().column(Column::Word).into_tuple().all(tx).await?;
    let mut seen: HashSet<String> = there.into_iter().collect();
    let rows: Vec<ActiveModel> = words
        .iter()
        .filter(|word| seen.insert((*word).clone()))
        .map(|word| ActiveModel {
            word: Set(word.clone()),
            by_user: Set(by_user.to_owned()),
            created_at: Set(now),
            ..ActiveModel::default()
        })
        .collect();
    let added = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    if added > 0 {
        Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(added)
}

/// Deletes words; how many were there.
pub async fn delete(conn: &impl ConnectionTrait, words: &[String]) -> Result<u64, StoreError> {
    Ok(Entity::delete_many().filter(Column::Word.is_in(words)).exec(conn).await?.rows_affected)
}

/// A page of the words, the latest first, and how many there are.
pub async fn page(conn: &impl ConnectionTrait, paging: Paging) -> Result<(u64, Vec<Model>), StoreError> {
    let total = count(conn).await?;
    let rows = Entity::find().order_by_desc(Column::Id).offset(paging.offset()).limit(paging.size);
    Ok((total, rows.all(conn).await?))
}
