//! What a room's log holds after a place.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Statement};

use super::group::REACTIONS;
use store::db::StoreError;
use store::entity::event_log::{Column, Entity};

/// Whether the room `live_id` has an event of `kind` after place `seq`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn has_after(
    conn: &impl ConnectionTrait,
    live_id: &str,
    seq: i64,
    kind: &str,
) -> Result<bool, StoreError> {
    let wanted = Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::LiveId.eq(live_id).and(Column::Seq.gt(seq)).and(Column::Kind.eq(kind)));
    Ok(wanted.into_tuple::<i64>().one(conn).await?.is_some())
}

/// Whether the reactions to an event of `kind` of the room `live_id` are still to come, or under way.
///
/// # Errors
/// When the database cannot be asked.
pub async fn awaits_reactions(
    conn: &impl ConnectionTrait,
    live_id: &str,
    kind: &str,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 AS found FROM room_lane AS l JOIN event_log AS e \
         ON e.live_id = l.live_id AND e.seq > COALESCE(l.{}, l.seq) \
         WHERE l.live_id = ? AND e.kind = ? LIMIT 1",
        REACTIONS.done
    );
    let values = [live_id.into(), kind.into()];
    let asked = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(conn.query_one_raw(asked).await?.is_some())
}
