//! What a step is made of, and its DDL in both dialects.
//!
//! The text is written here and not by sea-query, because the types have to be exactly those of
//! the tables that are adopted (`tinyint(1)`, `int unsigned`, `json`).

use sea_orm_migration::sea_orm::DbBackend;

/// One step: a table with all that belongs to it, or one more index or column of an old table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Creates the table; on an adopted one adds the columns and indexes that it lacks.
    Table {
        /// The step's name.
        step: &'static str,
        /// The table.
        table: Table,
    },
    /// Adds an index.
    Index {
        /// The step's name.
        step: &'static str,
        /// The table's name.
        table: &'static str,
        /// The index.
        key: Key,
    },
    /// Adds a column to an old table: nullable or with a default, since older nodes go on writing.
    Column {
        /// The step's name.
        step: &'static str,
        /// The table's name.
        table: &'static str,
        /// The column.
        column: Column,
    },
}

impl Step {
    /// The name under which the step is recorded as done.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Table { step, .. } | Self::Index { step, .. } | Self::Column { step, .. } => step,
        }
    }
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The column of the primary key.
    pub(crate) primary: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) keys: &'static [Key],
}

/// A column: its name, and its type and attributes in MySQL's words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) definition: &'static str,
}

/// An index besides the primary key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) unique: bool,
    pub(crate) columns: &'static [&'static str],
}

/// A column.
pub(crate) const fn column(name: &'static str, definition: &'static str) -> Column {
    Column { name, definition }
}

/// An index.
pub(crate) const fn index(name: &'static str, columns: &'static [&'static str]) -> Key {
    Key { name, unique: false, columns }
}

/// A unique index. Only made together with its table: old tables may hold duplicates.
pub(crate) const fn unique(name: &'static str, columns: &'static [&'static str]) -> Key {
    Key { name, unique: true, columns }
}

impl Table {
    /// The statement that creates the table; on MySQL with its indexes.
    pub(crate) fn create_sql(&self, backend: DbBackend) -> String {
        let mut parts: Vec<String> = self.columns.iter().map(|column| column.sql(backend)).collect();
        if backend == DbBackend::Sqlite {
            if !self.columns.iter().any(Column::counts_up) {
                parts.push(format!("PRIMARY KEY (`{}`)", self.primary));
            }
            return format!("CREATE TABLE `{}` ({})", self.name, parts.join(", "));
        }
        parts.push(format!("PRIMARY KEY (`{}`)", self.primary));
        parts.extend(self.keys.iter().map(Key::inline_sql));
        format!(
            "CREATE TABLE `{}` ({}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
            self.name,
            parts.join(", ")
        )
    }
}

impl Column {
    fn counts_up(&self) -> bool {
        self.definition.ends_with("AUTO_INCREMENT")
    }

    /// The statement that adds the column to `table`.
    pub(crate) fn add_sql(&self, backend: DbBackend, table: &str) -> String {
        format!("ALTER TABLE `{table}` ADD COLUMN {}", self.sql(backend))
    }

    /// SQLite takes MySQL's type names as they are, and stores by what they sound like; only the
    /// counting key and JSON (which would sound like a number) are spelled in its own way.
    fn sql(&self, backend: DbBackend) -> String {
        let definition = match backend {
            DbBackend::Sqlite if self.counts_up() => "integer PRIMARY KEY AUTOINCREMENT NOT NULL".to_owned(),
            DbBackend::Sqlite => self.definition.replacen("json", "text", 1),
            _ => self.definition.to_owned(),
        };
        format!("`{}` {definition}", self.name)
    }
}

impl Key {
    fn column_list(&self) -> String {
        self.columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
    }

    fn inline_sql(&self) -> String {
        let kind = if self.unique { "UNIQUE KEY" } else { "KEY" };
        format!("{kind} `{}` ({})", self.name, self.column_list())
    }

    /// The index's name in the database. On SQLite all tables share one space of names.
    pub(crate) fn full_name(&self, backend: DbBackend, table: &str) -> String {
        match backend {
            DbBackend::Sqlite => format!("{table}_{}", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// The statement that adds the index to its table.
    pub(crate) fn create_sql(&self, backend: DbBackend, table: &str) -> String {
        let kind = if self.unique { "UNIQUE INDEX" } else { "INDEX" };
        format!("CREATE {kind} `{}` ON `{table}` ({})", self.full_name(backend, table), self.column_list())
    }
}
