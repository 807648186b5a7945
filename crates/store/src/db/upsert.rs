//! "Insert the row, or add to the one that is there", and tell which it was.

use std::num::NonZeroI64;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, OnConflict, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, Value};

use super::error::StoreError;

/// One row to insert or to add to.
#[derive(Clone, Debug)]
pub struct UpsertAdd<'a> {
    /// The table.
    pub table: &'a str,
    /// The columns of one unique key, and their values. NULL never equals anything.
    pub key: Vec<(&'a str, Value)>,
    /// The counting column, an `int`; NULL in a row that is there counts as 0, and sums stop at the
    /// largest that it holds.
    pub counter: &'a str,
    /// How much is added, and what a new row begins with.
    pub by: NonZeroI64,
    /// Columns that are written in both cases, such as the time of the change.
    pub set: Vec<(&'a str, Value)>,
}

/// What [`upsert_add`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The row is new.
    Inserted,
    /// The row was there and was added to.
    Increased,
}

/// Inserts the row, or adds to the one with the same key, so that no count is lost between
/// concurrent callers. One statement on MySQL, one or two on SQLite.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn upsert_add(conn: &impl ConnectionTrait, row: UpsertAdd<'_>) -> Result<Added, StoreError> {
    match conn.get_database_backend() {
        DbBackend::MySql => on_mysql(conn, row).await,
        _ => on_sqlite(conn, row).await,
    }
}

/// The server counts a new row as one changed row and a changed one as two. (Were the row left as
/// it is, it would count as one as well: hence [`UpsertAdd::by`] is not zero.)
async fn on_mysql(conn: &impl ConnectionTrait, row: UpsertAdd<'_>) -> Result<Added, StoreError> {
    let counter = Alias::new(row.counter);
    let mut conflict = OnConflict::new();
    conflict.value(counter.clone(), plus(DbBackend::MySql, row.counter, row.by));
    for (column, value) in &row.set {
        conflict.value(Alias::new(*column), value.clone());
    }
    let done = conn.execute(insert(&row)?.on_conflict(conflict)).await?;
    Ok(if done.rows_affected() == 1 { Added::Inserted } else { Added::Increased })
}

/// SQLite counts both as one changed row, so the two cases are two statements. No row can come
/// between them: the second one is run only when the row is known to be there.
async fn on_sqlite(conn: &impl ConnectionTrait, row: UpsertAdd<'_>) -> Result<Added, StoreError> {
    let keys = row.key.iter().map(|(column, _)| Alias::new(*column));
    let inserted =
        conn.execute(insert(&row)?.on_conflict(OnConflict::columns(keys).do_nothing().to_owned())).await?;
    if inserted.rows_affected() == 1 {
        return Ok(Added::Inserted);
    }
    increase(conn, &row).await?;
    Ok(Added::Increased)
}

/// Adds to the row that is there; whether there is one.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn increase(conn: &impl ConnectionTrait, row: &UpsertAdd<'_>) -> Result<bool, StoreError> {
    let mut update = Query::update();
    update
        .table(Alias::new(row.table))
        .value(Alias::new(row.counter), plus(conn.get_database_backend(), row.counter, row.by));
    for (column, value) in &row.set {
        update.value(Alias::new(*column), value.clone());
    }
    for (column, value) in &row.key {
        update.and_where(Expr::col(Alias::new(*column)).eq(value.clone()));
    }
    Ok(conn.execute(&update).await?.rows_affected() > 0)
}

/// The sum, as far as the column holds it: what is counted must not fail for its count.
fn plus(backend: DbBackend, counter: &str, by: NonZeroI64) -> SimpleExpr {
    let before = Func::coalesce([Expr::col(Alias::new(counter)), Expr::val(0)]);
    let smaller = if backend == DbBackend::MySql { "LEAST" } else { "MIN" };
    Func::cust(Alias::new(smaller)).args([SimpleExpr::from(before).add(by.get()), Expr::val(i32::MAX)]).into()
}

fn insert(row: &UpsertAdd<'_>) -> Result<sea_orm::sea_query::InsertStatement, StoreError> {
    let cells = || row.key.iter().chain(&row.set);
    let mut insert = Query::insert();
    insert
        .into_table(Alias::new(row.table))
        .columns(cells().map(|(column, _)| Alias::new(*column)).chain([Alias::new(row.counter)]))
        .values(cells().map(|(_, value)| Expr::val(value.clone())).chain([Expr::val(row.by.get())]))
        .map_err(|error| StoreError::Setup(error.to_string()))?;
    Ok(insert)
}
