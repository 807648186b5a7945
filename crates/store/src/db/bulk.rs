//! Changing many rows, each in its own way, with one statement.

use std::borrow::Cow;

use sea_orm::{ConnectionTrait, Statement, Value};

use super::error::StoreError;

/// Rows that one statement should lock at most, given by their ascending ids: they are locked in that order, by
/// the primary key. Of an `IN` over 1000 values MariaDB makes a join, in an order of its own.
pub const LOCKED_AT_ONCE: usize = 512;

/// `UPDATE table SET column = CASE key WHEN … THEN … END, … WHERE (key = … AND guard = …) OR …`.
///
/// Rows of which another has become the owner meanwhile are left as they are.
#[derive(Clone, Copy, Debug)]
pub struct BulkUpdate<'a> {
    /// The table.
    pub table: &'a str,
    /// The column of the primary key.
    pub key: &'a str,
    /// A row is changed only while this column has the value that the caller knows.
    pub guard: &'a str,
    /// Columns and the SQL of their new values, each with a `?` for each value of [`BulkRow`]. On
    /// MySQL a later one sees what an earlier one has set, on SQLite not: it must not matter.
    pub set: &'a [(&'a str, &'a str)],
    /// Assignments that are the same for all rows, without values, such as `owner = NULL`.
    pub set_all: &'a str,
}

/// One row of a [`BulkUpdate`]: its key, its guard, and the values of each column in turn.
pub type BulkRow = (Value, Value, Vec<Vec<Value>>);

impl BulkUpdate<'_> {
    /// Changes `rows` and answers how many were changed (MySQL: found). At most some hundred rows, or
    /// the statement grows too long.
    ///
    /// # Errors
    /// When the database refuses or cannot be reached.
    pub async fn run(self, conn: &impl ConnectionTrait, rows: &[BulkRow]) -> Result<u64, StoreError> {
        let rows = padded(rows);
        if rows.is_empty() {
            return Ok(0);
        }
        let mut values = Vec::new();
        let mut columns = Vec::with_capacity(self.set.len() + 1);
        for (index, (column, sql)) in self.set.iter().enumerate() {
            let case = format!(" WHEN ? THEN {sql}").repeat(rows.len());
            columns.push(format!("{column} = CASE {}{case} END", self.key));
            for (key, _, own) in rows.iter() {
                values.push(key.clone());
                values.extend(own.get(index).into_iter().flatten().cloned());
            }
        }
        columns.push(self.set_all.to_owned());
        let mut guarded = format!("({} = ? AND {} = ?) OR ", self.key, self.guard).repeat(rows.len());
        guarded.truncate(guarded.len().saturating_sub(" OR ".len()));
        for (key, guard, _) in rows.iter() {
            values.extend([key.clone(), guard.clone()]);
        }
        let sql = format!("UPDATE {} SET {} WHERE {guarded}", self.table, columns.join(", "));
        let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
        Ok(conn.execute_raw(statement).await?.rows_affected())
    }
}

/// `items`, the last one repeated up to a power of two: so that statements over lists of any length
/// are few different texts, which stay prepared.
#[must_use]
pub fn padded<T: Clone>(items: &[T]) -> Cow<'_, [T]> {
    let wanted = items.len().next_power_of_two();
    match items.last() {
        Some(last) if wanted > items.len() => {
            let mut all = items.to_vec();
            all.resize(wanted, last.clone());
            Cow::Owned(all)
        }
        _ => Cow::Borrowed(items),
    }
}

/// `?, ?, ?` for so many values.
#[must_use]
pub fn placeholders(count: usize) -> String {
    let mut text = "?, ".repeat(count);
    text.truncate(text.len().saturating_sub(2));
    text
}
