//! `liveloom token`

use std::sync::Arc;

use anyhow::Context;
use chrono::TimeDelta;

use super::source::Source;
use crate::auth::{Claims, TokenKeys, TokenService};
use common::clock::{Clock, SystemClock};
use common::text::check_user_id;
use config::{Config, Current};

/// Options of `liveloom token`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// The user, who must be registered before the token works.
    #[arg(long)]
    user: String,
    /// Hours until the token expires.
    #[arg(long, default_value_t = 168, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    hours: u32,
}

/// Prints a client token.
///
/// # Errors
/// When the configuration cannot be used.
pub fn run(args: &Args) -> anyhow::Result<()> {
    check_user_id(&args.user).map_err(|reason| anyhow::anyhow!("--user {reason}"))?;
    println!("{}", issue(&args.source.load()?, &args.user, TimeDelta::hours(args.hours.into()))?);
    Ok(())
}

/// A client token for `user_id`.
///
/// # Errors
/// When there is no key to sign with.
pub fn issue(config: &Config, user_id: &str, life: TimeDelta) -> anyhow::Result<String> {
    let clock = Arc::new(SystemClock);
    let claims =
        Claims { app_id: "liveloom".to_owned(), ..Claims::lasting(user_id.to_owned(), clock.now(), life) };
    let tokens = TokenService::new(Current::fixed(TokenKeys::new(&config.auth.jwt_keys)?), clock);
    tokens.issue(&claims).context("no token could be signed")
}
