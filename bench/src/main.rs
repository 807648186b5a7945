//! Benchmark of liveloom.
//!
//! Starts a private MariaDB, a private Redis and the release server over them, and drives the server
//! from this process over keep-alive connections on the loopback interface. See `bench/README.md`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod api;
mod bed;
mod cli;
mod compare;
mod count;
mod drive;
mod figures;
mod fixture;
mod flush;
mod http;
mod judge;
mod lanes;
mod measure;
mod outbox;
mod peers;
mod presence;
mod probe;
mod realtime;
mod report;
mod request;
mod routes;
mod server;
mod session;
mod sign;
mod silent;
mod table;
mod tally;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        // No runtime beside the loop of a process of the load generator.
        Command::RealtimeWorker => finish(realtime::serve().map(|()| true)),
        command => work(command),
    }
}

/// One thread on purpose: the driver shares the machine with the server that it measures.
#[tokio::main(flavor = "current_thread")]
async fn work(command: Command) -> ExitCode {
    let work = async {
        match command {
            Command::Run(args) => session::run(&args).await,
            Command::Check(args) => session::check(&args).await,
            Command::Compare(args) => compare::compare(&args.before, &args.after),
            Command::Realtime(args) => session::realtime(&args).await,
            Command::RealtimeWorker => anyhow::bail!("a process of the load generator has no commands"),
        }
    };
    tokio::select! {
        done = work => finish(done),
        // Dropping the work kills what it started and removes the temporary folder.
        () = interrupted() => ExitCode::from(130),
    }
}

/// Whether the limits were kept, as an exit code.
fn finish(done: anyhow::Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Ends with SIGINT or SIGTERM.
async fn interrupted() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
