//! Running a step: each statement only after a look at what is there, so that a step can be run
//! again after any interruption (MySQL's DDL does not roll back) and on any adopted database.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::step::{Column, Key, Step, Table};

impl MigrationName for Step {
    fn name(&self) -> &str {
        Step::name(self)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let there = There { conn: manager.get_connection() };
        match self {
            Self::Table { table, .. } => there.ensure_table(table).await,
            Self::Index { table, key, .. } => there.ensure_index(table, key).await,
            Self::Column { table, column, .. } => there.ensure_column(table, column).await,
        }
    }
}

/// What the connected schema holds.
struct There<'a, C> {
    conn: &'a C,
}

impl<C: ConnectionTrait> There<'_, C> {
    fn backend(&self) -> DbBackend {
        self.conn.get_database_backend()
    }

    async fn ensure_table(&self, table: &Table) -> Result<(), DbErr> {
        let backend = self.backend();
        let adopted = self.has_table(table.name).await?;
        if !adopted {
            self.run(&table.create_sql(backend)).await?;
        }
        for column in table.columns {
            if adopted {
                self.ensure_column(table.name, column).await?;
            }
        }
        for key in table.keys {
            // A unique index on an adopted table could fail on its rows. The embedded file was
            // never another server's: there a table without its index is an interrupted step.
            if !key.unique || !adopted || backend == DbBackend::Sqlite {
                self.ensure_index(table.name, key).await?;
            } else if !self.has_index(table.name, key).await? {
                tracing::warn!(table = table.name, index = key.name, "an adopted table lacks a unique index");
            }
        }
        Ok(())
    }

    async fn ensure_column(&self, table: &str, column: &Column) -> Result<(), DbErr> {
        if self.has_column(table, column.name).await? {
            return Ok(());
        }
        self.run(&column.add_sql(self.backend(), table)).await
    }

    async fn ensure_index(&self, table: &str, key: &Key) -> Result<(), DbErr> {
        if self.has_index(table, key).await? {
            return Ok(());
        }
        self.run(&key.create_sql(self.backend(), table)).await
    }

    async fn has_table(&self, table: &str) -> Result<bool, DbErr> {
        let sql = match self.backend() {
            DbBackend::Sqlite => "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = ?",
            _ => {
                "SELECT COUNT(*) AS n FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name = ?"
            }
        };
        self.any(sql, [table]).await
    }

    async fn has_column(&self, table: &str, column: &str) -> Result<bool, DbErr> {
        let sql = match self.backend() {
            DbBackend::Sqlite => "SELECT COUNT(*) AS n FROM pragma_table_info(?) WHERE name = ?",
            _ => {
                "SELECT COUNT(*) AS n FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?"
            }
        };
        self.any(sql, [table, column]).await
    }

    async fn has_index(&self, table: &str, key: &Key) -> Result<bool, DbErr> {
        let sql = match self.backend() {
            DbBackend::Sqlite => "SELECT COUNT(*) AS n FROM pragma_index_list(?) WHERE name = ?",
            _ => {
                "SELECT COUNT(*) AS n FROM information_schema.statistics \
                 WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?"
            }
        };
        self.any(sql, [table, &key.full_name(self.backend(), table)]).await
    }

    async fn any<const N: usize>(&self, sql: &str, values: [&str; N]) -> Result<bool, DbErr> {
        let values = values.map(|text| Value::from(text.to_owned()));
        let asked = Statement::from_sql_and_values(self.backend(), sql, values);
        let row = self.conn.query_one_raw(asked).await?;
        let count: i64 =
            row.ok_or_else(|| DbErr::Migration("no answer to a count".into()))?.try_get("", "n")?;
        Ok(count > 0)
    }

    async fn run(&self, ddl: &str) -> Result<(), DbErr> {
        tracing::info!(ddl, "changing the schema");
        self.conn.execute_unprepared(ddl).await?;
        Ok(())
    }
}
