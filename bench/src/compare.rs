//! Two results side by side.

use std::path::Path;

use anyhow::Result;

use crate::figures::quotient;
use crate::report::Report;

/// Prints how routes have changed. Both results count: a change of the bare route is the machine's.
pub fn compare(before: &Path, after: &Path) -> Result<bool> {
    let (before, after) = (Report::load(before)?, Report::load(after)?);
    println!("{:<13}{:>22}{:>9}{:>24}{:>9}{:>18}", "route", "req/s", "", "server µs/request", "", "of bare");
    for new in &after.timed {
        let Some(old) = before.timed.iter().find(|old| old.name == new.name) else { continue };
        println!(
            "{:<13}{:>10.0} → {:>9.0}{:>9}{:>12.1} → {:>9.1}{:>9}{:>8.0}% → {:>5.0}%",
            new.name,
            old.per_s,
            new.per_s,
            change(old.per_s, new.per_s),
            old.server_us,
            new.server_us,
            change(old.server_us, new.server_us),
            old.of_bare * 100.0,
            new.of_bare * 100.0
        );
    }
    println!("\n{:<18}{:>18}{:>22}", "route", "SQL", "cache round trips");
    for new in &after.counted {
        let Some(old) = before.counted.iter().find(|old| old.name == new.name) else { continue };
        println!(
            "{:<18}{:>8.2} → {:>7.2}{:>12.2} → {:>7.2}",
            new.name, old.sql, new.sql, old.trips, new.trips
        );
    }
    Ok(true)
}

fn change(old: f64, new: f64) -> String {
    format!("{:+.0}%", (quotient(new, old) - 1.0) * 100.0)
}
