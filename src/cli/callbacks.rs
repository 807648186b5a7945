//! `liveloom callbacks list|retry`

use std::io::{self, Write};

use chrono::DateTime;
use serde_json::json;

use super::database;
use super::source::Source;
use crate::callback::{Deliveries, Delivery, Filter, State, Waiting};

/// `liveloom callbacks …`
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Show callbacks that failed three times, the newest first.
    List(List),
    /// Send such a callback, or with --all-failed every one whose attempts are used up, again at once, under the
    /// same id and with all its attempts before it.
    Retry(Retry),
}

/// Options of `liveloom callbacks list`.
#[derive(clap::Args, Debug)]
pub struct List {
    #[command(flatten)]
    source: Source,
    /// Only those whose attempts are used up.
    #[arg(long, conflicts_with = "pending")]
    failed: bool,
    /// Only those that are still tried.
    #[arg(long)]
    pending: bool,
    /// Only those of this room.
    #[arg(long, value_name = "ID")]
    live_id: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Options of `liveloom callbacks retry`.
#[derive(clap::Args, Debug)]
pub struct Retry {
    #[command(flatten)]
    source: Source,
    /// The callback.
    #[arg(value_name = "WEBHOOK-ID", required_unless_present = "all_failed")]
    webhook_id: Option<String>,
    /// All whose attempts are used up.
    #[arg(long, conflicts_with = "webhook_id")]
    all_failed: bool,
}

/// Runs a `callbacks` command.
///
/// # Errors
/// When the database cannot be used, or there is no such callback.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let (Command::List(List { source, .. }) | Command::Retry(Retry { source, .. })) = command;
    let config = source.load()?;
    super::block_on(async {
        let (db, clock) = database::open(&config).await?;
        let deliveries = Deliveries::new(db.clone(), clock);
        match command {
            Command::List(options) => list(&deliveries, options).await?,
            Command::Retry(options) => retry(&deliveries, options).await?,
        }
        db.close().await;
        Ok(())
    })
}

async fn list(deliveries: &Deliveries, options: &List) -> anyhow::Result<()> {
    let state = match (options.failed, options.pending) {
        (true, _) => Some(State::Failed),
        (_, true) => Some(State::Pending),
        _ => None,
    };
    let filter = Filter { state, live_id: options.live_id.clone() };
    let found = deliveries.list(&filter, options.limit).await?;
    let waiting = deliveries.waiting().await?;
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer_pretty(&mut out, &json!({ "callbacks": found, "waiting": waiting }))?;
        writeln!(out)?;
    } else {
        table(&mut out, &found, waiting)?;
    }
    Ok(())
}

fn table(out: &mut impl Write, found: &[Delivery], waiting: Waiting) -> io::Result<()> {
    let widths = found.iter().map(|delivery| delivery.webhook_id.len());
    let width = widths.max().unwrap_or_default().max("WEBHOOK-ID".len());
    writeln!(
        out,
        "{:width$}  {:<9}  {:<12}  {:>8}  {:<20}  {:<20}  LAST ERROR",
        "WEBHOOK-ID", "STATE", "TYPE", "ATTEMPTS", "EVENT AT", "NEXT AT"
    )?;
    for delivery in found {
        writeln!(
            out,
            "{:width$}  {:<9}  {:<12}  {:>8}  {:<20}  {:<20}  {}",
            delivery.webhook_id,
            delivery.state.as_str(),
            delivery.kind,
            delivery.attempts,
            time(delivery.event_at),
            delivery.next_at.map_or_else(|| "-".to_owned(), time),
            delivery.last_error,
        )?;
    }
    writeln!(out, "{} shown; {} events wait in {} rooms", found.len(), waiting.events, waiting.rooms)
}

fn time(seconds: i64) -> String {
    let at = DateTime::from_timestamp(seconds, 0);
    at.map_or_else(|| seconds.to_string(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

async fn retry(deliveries: &Deliveries, options: &Retry) -> anyhow::Result<()> {
    let count = match &options.webhook_id {
        Some(webhook_id) => {
            deliveries.retry(webhook_id).await.map_err(|error| anyhow::anyhow!("{webhook_id}: {error}"))?;
            1
        }
        None => deliveries.retry_all_failed().await?,
    };
    println!("{count} will be sent again");
    Ok(())
}
