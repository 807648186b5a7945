//! `liveloom migrate`

use std::sync::Arc;

use super::database;
use super::source::Source;
use common::clock::SystemClock;
use store::db::Db;

/// Options of `liveloom migrate`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Only list the steps that are missing.
    #[arg(long)]
    dry_run: bool,
}

/// Creates or completes the tables.
///
/// # Errors
/// When the configuration or the database cannot be used.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = args.source.load()?;
    if args.dry_run {
        database::ensure_there(&config)?;
    }
    super::block_on(async {
        let clock = Arc::new(SystemClock);
        let db = Db::connect(&config.mysql, &config.node.data_dir, &config.limits, clock).await?;
        let (steps, done) = if args.dry_run {
            (db.pending_migrations().await?, "missing")
        } else {
            (db.migrate().await?, "applied")
        };
        for step in &steps {
            println!("{done}: {step}");
        }
        println!("{} steps {done}", steps.len());
        db.close().await;
        Ok(())
    })
}
