//! The figures of the realtime benchmark on standard output.

use super::figures::{BareFigures, Delays, FanOutFigures, RealtimeFigures, Run, StalledFigures};

/// Prints what was measured.
pub fn print(figures: &RealtimeFigures) {
    idle(figures);
    if let Some(run) = &figures.rooms {
        println!("\nThe same connections, {} rooms:", run.rooms);
        course(run);
    }
    figures.fan_out.iter().for_each(fan_out);
    figures.stalled.iter().for_each(stalled);
    if let Some(run) = &figures.nodes {
        println!("\nTwo nodes over one Redis, {} connections in {} rooms:", run.connections, run.rooms);
        course(run);
    }
}

fn idle(figures: &RealtimeFigures) {
    let Some(idle) = &figures.idle else { return };
    println!("\n{} connections with one subscription each, {} rooms:", idle.connections, idle.rooms);
    if idle.connections < idle.asked {
        println!("  {} were asked for: more than the limit of open files allows here", idle.asked);
    }
    println!("  opened             {:.0} a second", idle.opened_per_s);
    println!(
        "  resident memory    {:.2} KB each; {:.1} MB before, {:.1} MB with them",
        idle.kb_each, idle.before_mb, idle.resident_mb
    );
    println!(
        "  of the kernel      {:.2} KB of buffers and {:.2} KB of records each, both ends",
        idle.buffers_kb_each, idle.records_kb_each
    );
}

fn fan_out(figures: &FanOutFigures) {
    println!("\nOne room of {}, as fast as all get it:", figures.saturated.connections);
    course(&figures.saturated);
    println!("\nThe same room at half of that:");
    course(&figures.half);
    println!("\nThe same room at half of the limit:");
    course(&figures.half_of_limit);
    println!("\nThe machine's limit: the same bytes to as many sockets by a bare writer:");
    for bare in &figures.bare {
        let pace =
            bare.asked_per_s.map_or("as many as go".to_owned(), |rate| format!("{rate:.1} messages/s"));
        let BareFigures { per_write, deliveries_per_s, bytes_each, writer_cpu, generator_cpu, .. } = bare;
        println!(
            "  {per_write:>3} in a write     {pace}: {deliveries_per_s:>9.0} deliveries/s of {bytes_each:.0} bytes; {}; \
             CPU: writer {:.0} %, generator {:.0} %",
            delays(&bare.delays),
            writer_cpu * 100.0,
            generator_cpu * 100.0
        );
    }
}

fn stalled(figures: &StalledFigures) {
    let StalledFigures { stalled, unsent_kb_each, run, .. } = figures;
    println!("\nThe same room, {stalled} of {} stop reading and go on, in turn:", run.connections);
    println!("  all read           {}", delays(&figures.reading));
    println!("  some are stalled   {} (the others)", delays(&figures.stalling));
    let rounds = figures.rounds.iter().map(|[reading, stalling]| format!("{reading:.1}/{stalling:.1}"));
    println!("  p99 by round       {} ms", rounds.collect::<Vec<_>>().join(", "));
    println!("  stalled sockets    {unsent_kb_each:.1} KB each could not be sent");
    course(run);
}

fn course(run: &Run) {
    let asked = run.asked_per_s.map_or("as many as go".to_owned(), |rate| format!("{rate:.1} asked for"));
    println!(
        "  messages           {:.1} published a second ({asked}), at most {:.1} ms late",
        run.published_per_s, run.lag_ms
    );
    println!(
        "  deliveries         {:.0} a second of {:.0} bytes, {:.1} in a read",
        run.deliveries_per_s, run.bytes_each, run.per_read
    );
    for (name, found) in [("same node", &run.near), ("across nodes", &run.across)] {
        if found.deliveries > 0 {
            println!("  {name:<18} {}", delays(found));
        }
    }
    let servers = run.cpu.servers.iter().map(|cpu| format!("{:.0} %", cpu * 100.0)).collect::<Vec<_>>();
    println!(
        "  CPU of one core    server {}, MariaDB {:.0} %, Redis {:.0} %, generator {:.0} %",
        servers.join(" + "),
        run.cpu.database * 100.0,
        run.cpu.cache * 100.0,
        run.cpu.generator * 100.0
    );
    let faults = run.faults.named();
    if faults.is_empty() {
        println!("  order              nothing lost, repeated or out of order");
    }
    for (what, count) in faults {
        println!("  FAULT              {count} {what}");
    }
}

fn delays(delays: &Delays) -> String {
    let Delays { p50_ms, p99_ms, p999_ms, max_ms, .. } = delays;
    format!("p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, p99.9 {p999_ms:.1} ms, longest {max_ms:.1} ms")
}
