//! Tables on standard output.

use std::collections::BTreeMap;

use crate::judge;
use crate::realtime;
use crate::report::{Counted, Latency, OutboxFigures, Report, Timed, Verdict};

/// Prints everything.
pub fn print(report: &Report) {
    println!("{} cores, {}", report.cores, report.taken_at);
    if !report.counted.is_empty() {
        counted(&report.counted);
    }
    if !report.timed.is_empty() {
        timed(&report.timed, &report.counted, report.connections);
    }
    seats(report);
    flush(report);
    process(report);
    outbox(report);
    silent(report);
    report.realtime.iter().for_each(realtime::print);
    verdicts(&report.verdicts);
}

fn counted(routes: &[Counted]) {
    println!("\nPer request, counted on MariaDB and between server and Redis:");
    println!("{:<18}{:>8}{:>8}  {:<50} cache commands", "route", "SQL", "trips", "statements by kind");
    for route in routes {
        println!(
            "{:<18}{:>8.2}{:>8.2}  {:<50} {}",
            route.name,
            route.sql,
            route.trips,
            kinds(&route.sql_kinds),
            kinds(&route.commands)
        );
    }
    for route in routes.iter().filter(|route| !route.own.is_empty()) {
        println!("\nStatements of {} in MariaDB's general log, per request:", route.name);
        for (shape, each) in &route.own {
            println!("  {each:>6.2}  {shape}");
        }
        println!("and those with which consumers looked for work and jobs did theirs, which are left out:");
        for (shape, each) in &route.left_out {
            println!("  {each:>6.2}  {shape}");
        }
    }
    // Whoever is to mend a route wants to know what it sends.
    for route in
        routes.iter().filter(|route| judge::counts(&[(*route).clone()]).iter().any(|verdict| !verdict.within))
    {
        println!("\nStatements of one request of {}:", route.name);
        for statement in &route.statements {
            println!("  {statement}");
        }
    }
}

/// `select 1, begin 1`, without what is rare enough to come from background jobs.
fn kinds(kinds: &BTreeMap<String, f64>) -> String {
    let shown = kinds.iter().filter(|(_, each)| **each >= 0.05);
    shown.map(|(kind, each)| format!("{kind} {}", short(*each))).collect::<Vec<_>>().join(", ")
}

fn short(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn timed(routes: &[Timed], counted: &[Counted], connections: u16) {
    println!("\nTimed, {connections} keep-alive connections; CPU in µs per request:");
    println!(
        "{:<13}{:>9}{:>8}{:>8}{:>8}{:>9}{:>8}{:>9}{:>7}{:>8}{:>8}{:>6}{:>7}",
        "route",
        "req/s",
        "of bare",
        "p50 ms",
        "p99 ms",
        "server",
        "× bare",
        "MariaDB",
        "Redis",
        "driver",
        "bytes",
        "SQL",
        "trips"
    );
    for route in routes {
        let counts = counted.iter().find(|counted| counted.name == route.name);
        let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        println!(
            "{:<13}{:>9.0}{:>7.0}%{:>8.2}{:>8.2}{:>9.1}{:>8.1}{:>9.1}{:>7.1}{:>8.1}{:>8.0}{:>6}{:>7}",
            route.name,
            route.per_s,
            route.of_bare * 100.0,
            route.p50_ms,
            route.p99_ms,
            route.server_us,
            route.server_of_bare,
            route.database_us,
            route.cache_us,
            route.driver_us,
            route.bytes,
            figure(counts.map(|counts| counts.sql)),
            figure(counts.map(|counts| counts.trips)),
        );
    }
}

fn seats(report: &Report) {
    let Some(figures) = &report.seats else { return };
    println!(
        "\nLists of seats of {} rooms with {} guests each, one after the other, nothing remembered of who is online:",
        figures.lists, figures.guests
    );
    println!("  calls of the RTC service: {}", figures.calls);
}

fn flush(report: &Report) {
    let Some(figures) = &report.flush else { return };
    println!("\n{} likes, one of each user, wait in {} rooms to be written:", figures.likes, figures.rooms);
    for (round, what) in figures.rounds.iter().zip(["new rows", "raised rows"]) {
        println!(
            "  {what:<18} {} statements, {:.3} s; {:.3} s with the wait for the job",
            round.statements, round.writing_s, round.all_s
        );
    }
}

fn outbox(report: &Report) {
    let Some(OutboxFigures { backlog, paced }) = &report.outbox else { return };
    println!("\n{} callbacks of {} rooms wait for the server to start:", backlog.callbacks, backlog.rooms);
    println!(
        "  delivery           {:.0} a second; the first {:.2} s after the start of the process",
        backlog.per_s, backlog.first_s
    );
    println!("  order              {} repeated, {} out of order", backlog.repeated, backlog.out_of_order);
    println!(
        "  CPU per callback   {:.1} µs of the server, {:.1} µs of MariaDB, {:.1} µs of the receiver",
        backlog.server_us, backlog.database_us, backlog.receiver_us
    );
    let Latency { requests, p50_ms, p99_ms, max_ms, .. } = &paced.latency;
    println!("\n{requests} rooms are created, {:.1} a second, each with a callback:", paced.per_s);
    println!("  call to arrival    p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, longest {max_ms:.2} ms");
    println!(
        "  CPU                {:.0} % of a processor by the server, {:.0} % by MariaDB",
        paced.server_cpu * 100.0,
        paced.database_cpu * 100.0
    );
}

fn process(report: &Report) {
    let Some(figures) = &report.process else { return };
    println!("\nServer process:");
    println!(
        "  start to ready     {:.0} ms on an empty database, {:.0} ms on an existing one",
        figures.ready_empty_ms, figures.ready_ms
    );
    println!(
        "  resident memory    {:.1} MB after 3 s idle, {:.1} MB after the timed phase",
        figures.idle_mb, figures.busy_mb
    );
}

fn silent(report: &Report) {
    let Some(figures) = &report.silent else { return };
    println!("\n{} viewers in {} rooms fall silent at once:", figures.viewers, figures.rooms);
    println!(
        "  after the time-out {:.2} s until the first is out, {:.2} s until all are",
        figures.first_out_s, figures.all_out_s
    );
    println!(
        "  cost               {} statements, {:.2} s of server CPU, {:.2} s of MariaDB's; server {:.1} MB resident",
        figures.statements, figures.server_cpu_s, figures.database_cpu_s, figures.resident_mb
    );
    for (when, latency) in [("before", &figures.before), ("meanwhile", &figures.meanwhile)] {
        println!(
            "  heartbeats of others {when:<10} p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms, {} sent, {} failed",
            latency.p50_ms, latency.p99_ms, latency.max_ms, latency.requests, latency.failures
        );
    }
}

fn verdicts(verdicts: &[Verdict]) {
    println!("\nLimits:");
    for verdict in verdicts {
        let word = if verdict.within { "pass" } else { "OVER" };
        println!("  {word}  {:<58}{:>10}  {}", verdict.what, verdict.figure, verdict.limit);
    }
    let over = verdicts.iter().filter(|verdict| !verdict.within).count();
    println!("{} within, {over} over", verdicts.len() - over);
}
