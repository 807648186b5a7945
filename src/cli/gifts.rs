//! `liveloom gifts …`: what an operator does about gifts and their payment.

use std::io::{self, Write};

use anyhow::Context;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::database;
use super::gift_report::{Line, csv_writer, print_table, write_csv};
use super::source::Source;
use crate::gift::{Corrected, Cursor, GiftStatus, Ledger, Metrics, Pace, Selection, Verdict};
use store::db::Db;

/// Rows that an export holds in memory at once.
const BATCH: u64 = 1000;

/// `liveloom gifts …`
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Show gifts, the newest first.
    List(List),
    /// End a gift whose outcome nobody knows, or see to a flagged one. Does what the payment service's
    /// answer would have done.
    Resolve(Resolve),
    /// Record that a paid gift was taken back, and take it off the statistics. Moves no money.
    Refund(Refund),
    /// Write gifts as CSV to standard output, the oldest first.
    Export(Export),
}

/// Options of `liveloom gifts list`.
#[derive(clap::Args, Debug)]
pub struct List {
    #[command(flatten)]
    source: Source,
    /// Only those without an outcome.
    #[arg(long, conflicts_with = "status")]
    waiting: bool,
    /// Only those whose payment service contradicted itself or an operator.
    #[arg(long)]
    flagged: bool,
    /// Only those in this status.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Only those of this room.
    #[arg(long)]
    live_id: Option<String>,
    /// Only those of this sender.
    #[arg(long)]
    user_id: Option<String>,
    /// Only those sent since: `2026-11-01` in the database's zone, or `2026-11-01T10:00:00Z`.
    #[arg(long)]
    since: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
    /// As a JSON array.
    #[arg(long)]
    json: bool,
}

/// Options of `liveloom gifts resolve`.
#[derive(clap::Args, Debug)]
pub struct Resolve {
    #[command(flatten)]
    source: Source,
    /// The gift.
    biz_id: String,
    /// What became of its payment.
    #[arg(value_enum)]
    outcome: Outcome,
    /// How you know.
    #[arg(long, default_value = "")]
    reason: String,
    /// Who you are; when left out the account that runs the command: SUDO_USER, else USER, else LOGNAME of the
    /// environment.
    #[arg(long)]
    operator: Option<String>,
}

/// Options of `liveloom gifts refund`.
#[derive(clap::Args, Debug)]
pub struct Refund {
    #[command(flatten)]
    source: Source,
    /// The gift.
    biz_id: String,
    /// Why it is taken back.
    #[arg(long)]
    reason: String,
    /// Who you are; when left out the account that runs the command: SUDO_USER, else USER, else LOGNAME of the
    /// environment.
    #[arg(long)]
    operator: Option<String>,
}

/// Options of `liveloom gifts export`.
#[derive(clap::Args, Debug)]
pub struct Export {
    #[command(flatten)]
    source: Source,
    /// From here on: `2026-11-01` in the database's zone, or `2026-11-01T10:00:00Z`.
    #[arg(long)]
    from: Option<String>,
    /// Before this.
    #[arg(long)]
    to: Option<String>,
}

/// What a gift can be.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Status {
    Waiting,
    Paid,
    Refused,
}

impl From<Status> for GiftStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Waiting => Self::Waiting,
            Status::Paid => Self::Paid,
            Status::Refused => Self::Refused,
        }
    }
}

/// What an operator may decide.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Outcome {
    Paid,
    Refused,
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Paid => Self::Paid,
            Outcome::Refused => Self::Refused,
        }
    }
}

/// Runs a `gifts` command.
///
/// # Errors
/// When the gift's state does not allow it, or the database cannot be used.
pub fn run(command: Command) -> anyhow::Result<()> {
    super::block_on(async {
        match command {
            Command::List(args) => list(args).await,
            Command::Resolve(args) => resolve(args).await,
            Command::Refund(args) => refund(args).await,
            Command::Export(args) => export(args).await,
        }
    })
}

async fn list(args: List) -> anyhow::Result<()> {
    let (db, ledger) = open(&args.source).await?;
    let waiting = args.waiting.then_some(GiftStatus::Waiting);
    let selection = Selection {
        status: args.status.map(GiftStatus::from).or(waiting),
        is_flagged: args.flagged,
        live_id: args.live_id,
        user_id: args.user_id,
        anchor_id: None,
        from: instant("--since", args.since.as_deref(), db.zone())?,
        to: None,
    };
    let lines: Vec<Line> = ledger.newest(&selection, args.limit).await?.into_iter().map(Line::from).collect();
    db.close().await;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &lines)?;
        writeln!(out)?;
    } else {
        print_table(&mut out, &lines)?;
    }
    Ok(())
}

async fn resolve(args: Resolve) -> anyhow::Result<()> {
    let operator = operator(args.operator)?;
    let (db, ledger) = open(&args.source).await?;
    let corrected = Corrected { operator: &operator, reason: &args.reason };
    let gift = ledger.resolve(&args.biz_id, args.outcome.into(), corrected).await?;
    println!("gift {} is {}", gift.sent.biz_id, gift.status.name());
    db.close().await;
    Ok(())
}

async fn refund(args: Refund) -> anyhow::Result<()> {
    anyhow::ensure!(!args.reason.trim().is_empty(), "--reason must not be empty");
    let operator = operator(args.operator)?;
    let (db, ledger) = open(&args.source).await?;
    let corrected = Corrected { operator: &operator, reason: &args.reason };
    let gift = ledger.refund(&args.biz_id, corrected).await?;
    println!("gift {} is refunded: {} less for {}", gift.sent.biz_id, gift.sent.amount, gift.sent.anchor_id);
    db.close().await;
    Ok(())
}

async fn export(args: Export) -> anyhow::Result<()> {
    let (db, ledger) = open(&args.source).await?;
    let selection = Selection {
        from: instant("--from", args.from.as_deref(), db.zone())?,
        to: instant("--to", args.to.as_deref(), db.zone())?,
        ..Selection::default()
    };
    let mut writer = csv_writer(io::stdout().lock())?;
    let mut last = None;
    loop {
        let batch = ledger.after(&selection, last, BATCH).await?;
        let is_last = u64::try_from(batch.len())? < BATCH;
        last = batch.last().map(Cursor::of).or(last);
        write_csv(&mut writer, batch.into_iter().map(Line::from))?;
        if is_last {
            break;
        }
    }
    writer.flush()?;
    db.close().await;
    Ok(())
}

/// The gifts in the database of the configuration.
async fn open(source: &Source) -> anyhow::Result<(Db, Ledger)> {
    let config = source.load()?;
    let (db, clock) = database::open(&config).await?;
    let ledger = Ledger::new(db.clone(), clock, Pace::of(&config.gift), Metrics::new()?);
    Ok((db, ledger))
}

/// Who acts: as named, or the account that runs the command (that of `sudo` before it).
fn operator(named: Option<String>) -> anyhow::Result<String> {
    let account = || ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let name = named.or_else(account).filter(|name| !name.trim().is_empty());
    let name = name.context("--operator: say who you are")?;
    anyhow::ensure!(name.chars().count() <= 64, "--operator has more than 64 characters");
    Ok(name)
}

/// A time that an option gives: a day's begin in the database's zone, or an instant.
fn instant(option: &str, text: Option<&str>, zone: Tz) -> anyhow::Result<Option<DateTime<Utc>>> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Some(at.with_timezone(&Utc)));
    }
    let day: Option<NaiveDate> = text.parse().ok();
    let begin = day.and_then(|day| zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest());
    let begin = begin.with_context(|| format!("{option}: {text:?} is neither a day nor a time"))?;
    Ok(Some(begin.with_timezone(&Utc)))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;

    fn read(text: &str) -> Option<String> {
        instant("--from", Some(text), Shanghai).ok().flatten().map(|at| at.to_rfc3339())
    }

    #[test]
    fn a_time_is_a_day_of_the_database_or_an_instant() {
        assert_eq!(read("2026-11-01").as_deref(), Some("2026-10-31T16:00:00+00:00"));
        assert_eq!(read("2026-11-01T10:00:00+02:00").as_deref(), Some("2026-11-01T08:00:00+00:00"));
        assert_eq!(read("yesterday"), None);
        assert!(instant("--from", None, Shanghai).is_ok_and(|at| at.is_none()));
    }
}
