//! The limits of the benchmark, and which figures keep them.

use crate::realtime;
use crate::report::{
    Counted, FlushFigures, FlushRound, OutboxFigures, ProcessFigures, Report, SeatFigures, SilentFigures,
    Timed, Verdict,
};

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
/// Likes that one statement writes at least, when enough wait.
const LIKES_PER_STATEMENT: u64 = 1000;
/// Callbacks of a backlog, per second.
const CALLBACKS_PER_S: f64 = 2000.0;
/// From an event to the arrival of its callback, 99 of 100.
const CALLBACK_P99_MS: f64 = 1000.0;
/// How much of the asked pace must have been kept for the latency to count.
const PACE_KEPT: f64 = 0.95;

/// Judges everything that was measured.
pub fn all(report: &Report) -> Vec<Verdict> {
    let mut verdicts = counts(&report.counted);
    verdicts.extend(report.seats.iter().flat_map(seats));
    verdicts.extend(report.flush.iter().flat_map(flush));
    verdicts.extend(times(&report.timed));
    verdicts.extend(report.process.iter().flat_map(process));
    verdicts.extend(report.outbox.iter().flat_map(outbox));
    verdicts.extend(report.silent.iter().flat_map(silent));
    verdicts.extend(report.realtime.iter().flat_map(realtime::judge));
    verdicts
}

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
fn times(timed: &[Timed]) -> Vec<Verdict> {
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
fn process(figures: &ProcessFigures) -> Vec<Verdict> {
    vec![
        below("start to ready on an existing database", figures.ready_ms, READY_MS, "ms"),
        below("resident memory, idle", figures.idle_mb, IDLE_MB, "MB"),
    ]
}

/// Judges the removal of silent viewers.
fn silent(figures: &SilentFigures) -> Vec<Verdict> {
    let what = format!("{} silent viewers are out", figures.viewers);
    vec![below(&what, figures.all_out_s, SILENT_S, "s")]
}

/// Judges the calls of the RTC service: one for a room, however many guests are in it.
fn seats(figures: &SeatFigures) -> Vec<Verdict> {
    let SeatFigures { lists, guests, calls } = figures;
    vec![Verdict {
        what: format!("RTC calls for {lists} seat lists of {guests} guests each"),
        figure: calls.to_string(),
        limit: format!("<= {lists}"),
        within: calls <= lists,
    }]
}

/// Judges the writing of likes.
fn flush(figures: &FlushFigures) -> Vec<Verdict> {
    let most = figures.likes.div_ceil(LIKES_PER_STATEMENT);
    let verdict = |(round, what): (&FlushRound, &str)| Verdict {
        what: format!("flush of {} likes, {what}: SQL statements", figures.likes),
        figure: round.statements.to_string(),
        limit: format!("<= {most}"),
        within: round.statements <= most,
    };
    figures.rounds.iter().zip(["new rows", "raised rows"]).map(verdict).collect()
}

/// Judges the delivery of callbacks.
fn outbox(figures: &OutboxFigures) -> Vec<Verdict> {
    let OutboxFigures { backlog, paced } = figures;
    let p99 = paced.latency.p99_ms;
    let what = format!("p99 from event to callback at {} a second", paced.asked_per_s);
    let mut verdicts = vec![
        above("callbacks delivered per second", backlog.per_s, CALLBACKS_PER_S),
        below(&what, p99, CALLBACK_P99_MS, "ms"),
        above("pace of these events, per second", paced.per_s, f64::from(paced.asked_per_s) * PACE_KEPT),
    ];
    if backlog.out_of_order > 0 {
        let (what, figure) = ("callbacks out of their order".into(), backlog.out_of_order.to_string());
        verdicts.push(Verdict { what, figure, limit: "none".into(), within: false });
    }
    verdicts
}

fn above(what: &str, figure: f64, limit: f64) -> Verdict {
    Verdict {
        what: what.to_owned(),
        figure: format!("{figure:.0}"),
        limit: format!(">= {limit:.0}"),
        within: figure >= limit,
    }
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
    use crate::report::{BacklogFigures, Latency, PacedFigures};

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
            own: Default::default(),
            left_out: Default::default(),
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

    #[test]
    fn a_call_for_each_guest_is_named() {
        assert!(over(&seats(&SeatFigures { lists: 120, guests: 4, calls: 120 })).is_empty());
        assert_eq!(over(&seats(&SeatFigures { lists: 120, guests: 4, calls: 480 })).len(), 1);
    }

    #[test]
    fn likes_are_written_a_thousand_at_a_time() {
        let round = |statements| FlushRound { statements, all_s: 1.0, writing_s: 1.0 };
        let flushed = FlushFigures { likes: 10_000, rooms: 100, rounds: vec![round(10), round(11)] };
        assert_eq!(over(&flush(&flushed)), ["flush of 10000 likes, raised rows: SQL statements"]);
    }

    #[test]
    fn slow_late_and_disordered_callbacks_are_named() {
        let backlog = BacklogFigures { per_s: 1999.0, out_of_order: 1, ..BacklogFigures::default() };
        let latency = Latency { p99_ms: 1000.0, ..Latency::default() };
        let paced = PacedFigures { asked_per_s: 200, per_s: 189.0, latency, ..PacedFigures::default() };
        assert_eq!(over(&outbox(&OutboxFigures { backlog, paced })).len(), 4);
    }
}
