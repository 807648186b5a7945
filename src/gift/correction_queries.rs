//! Statements on `gift_correction`.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::row::Gift;
use store::db::{StoreError, WallTime};
use store::entity::gift_correction::{ActiveModel, Column, Entity, Model};

/// `kind` of a refund.
pub const REFUND: &str = "refund";

/// An operator's act.
#[derive(Clone, Copy)]
pub struct Act<'a> {
    /// `paid`, `refused` or [`REFUND`].
    pub kind: &'a str,
    /// Who.
    pub operator: &'a str,
    /// Why; at most 512 characters.
    pub reason: &'a str,
}

/// Records an act on `gift`.
///
/// # Errors
/// [`StoreError::Duplicate`] for a second refund.
pub async fn insert(
    tx: &impl ConnectionTrait,
    gift: &Gift,
    act: Act<'_>,
    now: WallTime,
) -> Result<(), StoreError> {
    let biz_id = gift.sent.biz_id.clone();
    let row = ActiveModel {
        biz_id: Set(biz_id.clone()),
        kind: Set(act.kind.to_owned()),
        amount: Set(gift.sent.amount),
        operator: Set(act.operator.to_owned()),
        reason: Set(act.reason.to_owned()),
        created_at: Set(now),
        refund_of: Set((act.kind == REFUND).then_some(biz_id)),
        ..ActiveModel::default()
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The refunds of those of `gifts` that have one, by their ids.
pub async fn refunds(
    conn: &impl ConnectionTrait,
    gifts: &[Gift],
) -> Result<HashMap<String, Model>, StoreError> {
    if gifts.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = gifts.iter().map(|gift| gift.sent.biz_id.as_str());
    let rows = Entity::find().filter(Column::RefundOf.is_in(ids)).all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.biz_id.clone(), row)).collect())
}
