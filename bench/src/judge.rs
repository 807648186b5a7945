//! The limits of the benchmark, and which figures keep them.

use crate::report::{Counted, ProcessFigures, SilentFigures, Timed, Verdict};

/// How far a count may lie above its limit: background jobs and look-ups that are renewed while requests are
/// counted add a few statements to hundreds.
const TOLERANCE: f64 = 0.05;
/// Heartbeat, as a part of the bare route's throughput.
const HEARTBEAT_OF_BARE: f64 = 0.5;
/// Room info, as a part of the bare route's throughput.
const ROOM_INFO_OF_BARE: f64 = 0.4;
const READY_MS: f64 = 1000.0;
const IDLE_MB: f64 = 60.0;
const SILENT_S: f64 = 3.0;

/// Judges the counted phase.
pub fn counts(counted: &[Counted]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for route in counted {
        if let Some(limit) = route.sql_limit {
            verdicts.push(count(&route.name, "SQL statements", route.sql, limit));
        }
        if let Some(limit) = route.trips_limit {
            verdicts.push(count(&route.name, "cache round trips", route.trips, limit));
        }
    }
    let sql = |name: &str| counted.iter().find(|route| route.name == name).map(|route| route.sql);
    if let (Some(short), Some(long)) = (sql("list_20"), sql("list_100")) {
        verdicts.push(Verdict {
            what: "list_100: SQL statements, the same as list_20".into(),
            figure: format!("{long:.2}"),
            limit: format!("= {short:.2}"),
            // Statements are whole: what grows with the page would add one at least.
            within: (long - short).abs() < 0.5,
        });
    }
    verdicts
}

fn count(route: &str, what: &str, figure: f64, limit: u32) -> Verdict {
    Verdict {
        what: format!("{route}: {what} per request"),
        figure: format!("{figure:.2}"),
        limit: format!("<= {limit}"),
        within: figure <= f64::from(limit) + TOLERANCE,
    }
}

/// Judges the timed phase.
pub fn times(timed: &[Timed]) -> Vec<Verdict> {
    let limits = [("heartbeat", HEARTBEAT_OF_BARE), ("room_info", ROOM_INFO_OF_BARE)];
    let mut verdicts = Vec::new();
    for route in timed {
        if let Some((_, limit)) = limits.iter().find(|(name, _)| *name == route.name) {
            verdicts.push(Verdict {
                what: format!("{}: throughput beside the bare route", route.name),
                figure: format!("{:.0} %", route.of_bare * 100.0),
                limit: format!(">= {:.0} %", limit * 100.0),
                within: route.of_bare >= *limit,
            });
        }
        if route.failures > 0 {
            let (what, figure) = (format!("{}: failed requests", route.name), route.failures.to_string());
            verdicts.push(Verdict { what, figure, limit: "none".into(), within: false });
        }
    }
    verdicts
}

/// Judges start and memory.
pub fn process(figures: &ProcessFigures) -> Vec<Verdict> {
    vec![
        below("start to ready on an existing database", figures.ready_ms, READY_MS, "ms"),
        below("resident memory, idle", figures.idle_mb, IDLE_MB, "MB"),
    ]
}

/// Judges the removal of silent viewers.
pub fn silent(figures: &SilentFigures) -> Vec<Verdict> {
    let what = format!("{} silent viewers are out", figures.viewers);
    vec![below(&what, figures.all_out_s, SILENT_S, "s")]
}

fn below(what: &str, figure: f64, limit: f64, unit: &str) -> Verdict {
    let digits = if unit == "ms" { 0 } else { 1 };
    Verdict {
        what: what.to_owned(),
        figure: format!("{figure:.digits$} {unit}"),
        limit: format!("< {limit:.0} {unit}"),
        within: figure < limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(name: &str, sql: f64, trips: f64) -> Counted {
        Counted {
            name: name.into(),
            shown: String::new(),
            requests: 1000,
            sql,
            trips,
            sql_limit: Some(4),
            trips_limit: Some(1),
            sql_kinds: Default::default(),
            statements: Vec::new(),
            commands: Default::default(),
        }
    }

    fn over(verdicts: &[Verdict]) -> Vec<&str> {
        verdicts.iter().filter(|verdict| !verdict.within).map(|verdict| verdict.what.as_str()).collect()
    }

    #[test]
    fn one_statement_too_many_is_named() {
        let verdicts = counts(&[counted("a", 4.02, 1.0), counted("b", 5.0, 1.0), counted("c", 4.0, 2.0)]);
        assert_eq!(over(&verdicts), ["b: SQL statements per request", "c: cache round trips per request"]);
    }

    #[test]
    fn statements_that_grow_with_the_page_are_named() {
        let verdicts = counts(&[counted("list_20", 2.0, 1.0), counted("list_100", 3.0, 1.0)]);
        assert_eq!(over(&verdicts), ["list_100: SQL statements, the same as list_20"]);
    }

    #[test]
    fn a_slow_heartbeat_and_a_failure_are_named() {
        let slow = Timed { name: "heartbeat".into(), of_bare: 0.49, failures: 2, ..Timed::default() };
        assert_eq!(over(&times(&[slow])).len(), 2);
    }
}
