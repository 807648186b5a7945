//! The database of a command that works on what is there: it changes no tables.

use std::sync::Arc;

use common::clock::{SharedClock, SystemClock};
use config::Config;
use store::db::{Db, SQLITE_FILE};

/// Opens the database of `config`, whose tables must be up to date.
///
/// # Errors
/// When there is none, it cannot be used, or `liveloom migrate` is to be run first.
pub(super) async fn open(config: &Config) -> anyhow::Result<(Db, SharedClock)> {
    ensure_there(config)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let db = Db::connect(&config.mysql, &config.node.data_dir, &config.limits, Arc::clone(&clock)).await?;
    let missing = db.pending_migrations().await?.len();
    anyhow::ensure!(
        missing == 0,
        "the tables lack {missing} steps of this version: run `liveloom migrate` with the same --config"
    );
    Ok((db, clock))
}

/// An embedded database is made by the server, never by a command that looks into it.
///
/// # Errors
/// When there is none.
pub(super) fn ensure_there(config: &Config) -> anyhow::Result<()> {
    if config.mysql.databases.is_empty() {
        let file = config.node.data_dir.join(SQLITE_FILE);
        anyhow::ensure!(
            file.exists(),
            "there is no database at {}: `liveloom serve` makes it. Is this the server's configuration (--config), \
             and its folder?",
            file.display()
        );
    }
    Ok(())
}
