//! The schema of liveloom: what an empty database gets, and what an adopted one lacks.
//!
//! A database made by QNLiveKit_Server is adopted in place: its tables have the same names and
//! types here. Steps add tables, columns and indexes; they never change or delete a row.

mod apply;
mod lock;
mod step;
mod steps;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait as _};
use sea_orm_migration::seaql_migrations;

use step::Step;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        steps::ALL.iter().map(|step| Box::new(*step) as Box<dyn MigrationTrait>).collect()
    }

    /// Leaves out the steps of a newer version that shares the schema.
    async fn get_migration_models<C: ConnectionTrait>(db: &C) -> Result<Vec<seaql_migrations::Model>, DbErr> {
        Self::install(db).await?;
        let mut applied = seaql_migrations::Entity::find().all(db).await?;
        applied.retain(|model| steps::ALL.iter().any(|step| step.name() == model.version));
        Ok(applied)
    }
}

/// Applies the missing steps in order and returns their names. `conn` must hold a single
/// connection, since on MySQL the lock that keeps other nodes out belongs to it; on SQLite the
/// caller keeps other processes out.
///
/// # Errors
/// When a step fails; it may be run again.
pub async fn up(conn: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    if pending(conn).await?.is_empty() {
        return Ok(Vec::new());
    }
    let shared = conn.get_database_backend() == DbBackend::MySql;
    if shared {
        lock::take(conn).await?;
    }
    let applied = apply_pending(conn).await;
    if shared {
        lock::release(conn).await?;
    }
    applied
}

async fn apply_pending(conn: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let missing = pending(conn).await?;
    Migrator::up(conn, None).await?;
    Ok(missing)
}

/// The names of the steps that [`up`] would apply. Changes nothing.
///
/// # Errors
/// When the database cannot be asked.
pub async fn pending(conn: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let recorded = if SchemaManager::new(conn).has_table("seaql_migrations").await? {
        seaql_migrations::Entity::find().all(conn).await?
    } else {
        Vec::new()
    };
    let missing = steps::ALL.iter().filter(|step| recorded.iter().all(|done| done.version != step.name()));
    Ok(missing.map(|step| step.name().to_owned()).collect())
}

/// Every statement that the steps may send: those for an empty database, and those for an adopted
/// one that lacks everything. For checks of the syntax.
#[must_use]
pub fn statements(backend: DbBackend) -> Vec<String> {
    steps::ALL.iter().flat_map(|step| of_step(step, backend)).collect()
}

fn of_step(step: &Step, backend: DbBackend) -> Vec<String> {
    match step {
        Step::Index { table, key, .. } => vec![key.create_sql(backend, table)],
        Step::Column { table, column, .. } => vec![column.add_sql(backend, table)],
        Step::Table { table, .. } => {
            let columns = table.columns.iter().map(|column| column.add_sql(backend, table.name));
            let keys = table.keys.iter().map(|key| key.create_sql(backend, table.name));
            [table.create_sql(backend)].into_iter().chain(columns).chain(keys).collect()
        }
    }
}
