//! The command line: `liveloom serve|migrate|check-config|admin|token|callbacks|gifts|backup`.

mod admin;
mod backup;
mod callbacks;
mod check_config;
mod database;
mod gift_report;
mod gifts;
mod migrate;
mod serve;
mod signals;
mod source;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Backend for live streaming with interaction, wire-compatible with QNLiveKit_Server.
#[derive(Parser)]
#[command(name = "liveloom", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  liveloom serve                          alone: SQLite, in-process cache, built-in IM
  liveloom serve --config config.yaml     with MySQL and Redis, as the file says
  liveloom check-config --config c.yaml   all mistakes of a file, a line each
  liveloom migrate --config config.yaml   only create or complete the tables
  liveloom admin create --name root --config config.yaml
                                          a manager for the console; asks for the password
  liveloom token --user alice             a client token, e.g. to try the API
  liveloom callbacks list --failed        callbacks that the business service did not take
  liveloom gifts list --waiting           gifts that nobody knows the outcome of
  liveloom backup copy-1                  the data of embedded mode, while the server runs

All but serve work on what a server has made: without --config that is the data in ./data, and there
must be some.

Exit codes: 0 done, 1 failed (one line on standard error says why), 2 wrong usage.";

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve(serve::Args),
    /// Create or complete the tables of the database, and exit.
    Migrate(migrate::Args),
    /// Check a configuration: each mistake is a line, and the exit code is 1.
    CheckConfig(check_config::Args),
    /// Manage administrators.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Issue a client token of the server whose configuration is named.
    Token(token::Args),
    /// See callbacks that the business service did not take, and send them again.
    #[command(subcommand)]
    Callbacks(callbacks::Command),
    /// Show, resolve, refund and export gifts.
    #[command(subcommand)]
    Gifts(gifts::Command),
    /// Copy the data of embedded mode into a new folder, while the server runs.
    Backup(backup::Args),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    // The first TLS client needs to find a provider; a second installation is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match command {
        Command::Serve(args) => serve::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::CheckConfig(args) => return check_config::run(&args),
        Command::Admin(command) => admin::run(command),
        Command::Token(args) => token::run(&args),
        Command::Callbacks(command) => callbacks::run(&command),
        Command::Gifts(command) => gifts::run(command),
        Command::Backup(args) => backup::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("liveloom: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs an asynchronous command to its end.
fn block_on<F: Future<Output = anyhow::Result<()>>>(work: F) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
