//! Pages of tables that grow without end.

use sea_orm::sea_query::{Asterisk, Expr, Func, Query};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, QueryTrait, Select};

use super::StoreError;

/// How many rows such a list shows at most. Rows beyond it are not counted either, so that neither the
/// count nor the way to a page reads more than that many of those that match.
pub const REACH: u64 = 10_000;

/// Up to `limit` rows of `wanted` after `offset` of them, in its order, and how many there are: at most
/// [`REACH`]. Two statements, or one when there is no such page.
///
/// # Errors
/// The database's.
pub async fn page_within_reach<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    wanted: Select<E>,
    offset: u64,
    limit: u64,
) -> Result<(u64, Vec<E::Model>), StoreError> {
    let total = count_up_to(conn, wanted.clone(), REACH).await?;
    if offset >= total {
        return Ok((total, Vec::new()));
    }
    let limit = limit.min(REACH - offset);
    Ok((total, wanted.offset(offset).limit(limit).all(conn).await?))
}

/// How many rows `wanted` has, at most `most`.
///
/// # Errors
/// The database's.
pub async fn count_up_to<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    wanted: Select<E>,
    most: u64,
) -> Result<u64, StoreError> {
    let mut rows = wanted.select_only().expr_as(Expr::val(1), "one").limit(most).into_query();
    rows.clear_order_by();
    let mut count = Query::select();
    count.expr_as(Func::count(Expr::col(Asterisk)), "number").from_subquery(rows, "counted");
    let row = conn.query_one(&count).await?;
    let number: i64 = row.map_or(Ok(0), |row| row.try_get("", "number"))?;
    Ok(u64::try_from(number).unwrap_or_default())
}
