//! Which nodes have an address for callbacks.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::db::{Db, StoreError};
use crate::entity::node_registry::{Column, Entity};

/// Notes whether node `node_id`, which is registered, has an address for callbacks. One statement.
///
/// # Errors
/// When the database cannot be reached.
pub async fn note_callbacks(db: &Db, node_id: u16, has_callbacks: bool) -> Result<(), StoreError> {
    let note = Entity::update_many().col_expr(Column::HasCallbacks, Expr::value(has_callbacks));
    note.filter(Column::NodeId.eq(i32::from(node_id))).exec(db.writer()).await?;
    Ok(())
}

/// A node other than `node_id` that has an address for callbacks and is registered, or was within the
/// time `within`. One statement.
///
/// # Errors
/// When the database cannot be asked.
pub async fn other_with_callbacks(
    db: &Db,
    node_id: u16,
    within: Duration,
) -> Result<Option<i32>, StoreError> {
    let since =
        Expr::cust(db.dialect().now_ms_sql()).sub(i64::try_from(within.as_millis()).unwrap_or(i64::MAX));
    let other = Entity::find()
        .select_only()
        .column(Column::NodeId)
        .filter(Column::NodeId.ne(i32::from(node_id)).and(Column::HasCallbacks.eq(true)))
        .filter(Expr::col(Column::UpdatedMs).gt(since));
    Ok(other.into_tuple().one(db.writer()).await?)
}
