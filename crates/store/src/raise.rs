//! Writing a column and reading the value that was written, in one statement.
//!
//! MySQL has no `UPDATE … RETURNING`; there the value comes back as the statement's insert id, which
//! `LAST_INSERT_ID(expression)` sets (MySQL manual, "Information Functions").

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::db::StoreError;

/// A column that one statement writes and reads.
#[derive(Clone, Copy, Debug)]
pub struct Raise {
    backend: DbBackend,
    column: &'static str,
}

impl Raise {
    /// For a statement on `conn` that writes `column`, whose values are not negative.
    #[must_use]
    pub fn new(conn: &impl ConnectionTrait, column: &'static str) -> Self {
        Self { backend: conn.get_database_backend(), column }
    }

    /// `expression` in such a form that its value comes back; use it where the column gets its value.
    #[must_use]
    pub fn value(self, expression: &str) -> String {
        match self.backend {
            DbBackend::MySql => format!("LAST_INSERT_ID({expression})"),
            _ => expression.to_owned(),
        }
    }

    /// Runs `sql`, and returns what the column got; None when the statement met no row.
    ///
    /// # Errors
    /// When the database refuses or cannot be reached.
    pub async fn run(
        self,
        conn: &impl ConnectionTrait,
        mut sql: String,
        values: Vec<Value>,
    ) -> Result<Option<i64>, StoreError> {
        if self.backend != DbBackend::MySql {
            sql.push_str(" RETURNING ");
            sql.push_str(self.column);
            let row = conn.query_one_raw(Statement::from_sql_and_values(self.backend, sql, values)).await?;
            return Ok(row.map(|row| row.try_get("", self.column)).transpose()?);
        }
        let done = conn.execute_raw(Statement::from_sql_and_values(self.backend, sql, values)).await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let value = i64::try_from(done.last_insert_id());
        Ok(Some(value.map_err(|error| DbErr::Type(error.to_string()))?))
    }
}
