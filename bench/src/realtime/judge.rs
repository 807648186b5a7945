//! The limits of the realtime benchmark.

use super::figures::{FanOutFigures, IdleFigures, RealtimeFigures, Run, StalledFigures};
use crate::report::Verdict;

/// Deliveries a second in one room of one node.
pub const DELIVERIES_PER_S: f64 = 300_000.0;
/// Resident memory of a connection with one subscription, KB.
const IDLE_KB: f64 = 12.0;
/// At half of the deliveries that a room must reach.
const FAN_OUT_P99_MS: f64 = 100.0;
/// CPU of the server, as a part of one processor.
const ROOMS_CPU: f64 = 1.0;
/// The others' 99th percentile when some are stalled, as a multiple of what it is otherwise.
const STALLED_RATIO: f64 = 1.1;
const ACROSS_P99_MS: f64 = 150.0;
/// How much of the asked pace must have been kept for the rest to count.
const PACE_KEPT: f64 = 0.95;

/// Judges everything that was measured.
pub fn all(figures: &RealtimeFigures) -> Vec<Verdict> {
    let RealtimeFigures { idle, rooms, fan_out, stalled, nodes } = figures;
    let mut verdicts: Vec<Verdict> = idle.iter().map(memory).collect();
    verdicts.extend(rooms.iter().flat_map(small_rooms));
    verdicts.extend(fan_out.iter().flat_map(large_room));
    verdicts.extend(stalled.iter().flat_map(patience));
    verdicts.extend(nodes.iter().flat_map(two_nodes));
    verdicts
}

fn memory(figures: &IdleFigures) -> Verdict {
    let IdleFigures { connections, kb_each, .. } = figures;
    Verdict {
        what: format!("resident memory of each of {connections} idle connections"),
        figure: format!("{kb_each:.2} KB"),
        limit: format!("<= {IDLE_KB:.0} KB"),
        within: *kb_each <= IDLE_KB,
    }
}

fn small_rooms(run: &Run) -> Vec<Verdict> {
    let cpu = run.cpu.servers.iter().sum::<f64>();
    let what = format!("{} rooms at {:.0} messages/s: CPU of the server", run.rooms, asked(run));
    let mut verdicts = vec![Verdict {
        what,
        figure: format!("{:.0} %", cpu * 100.0),
        limit: format!("< {:.0} %", ROOMS_CPU * 100.0),
        within: cpu < ROOMS_CPU,
    }];
    verdicts.extend(course("small rooms", run));
    verdicts
}

fn large_room(room: &FanOutFigures) -> Vec<Verdict> {
    let FanOutFigures { saturated, half, half_of_limit, .. } = room;
    let mut verdicts = vec![
        Verdict {
            what: format!("one room of {}: deliveries/s", saturated.connections),
            figure: format!("{:.0}", saturated.deliveries_per_s),
            limit: format!(">= {DELIVERIES_PER_S:.0}"),
            within: saturated.deliveries_per_s >= DELIVERIES_PER_S,
        },
        delay(
            &format!("p99 at half of that, {:.0} deliveries/s", half_of_limit.deliveries_per_s),
            half_of_limit.near.p99_ms,
            FAN_OUT_P99_MS,
        ),
    ];
    verdicts.extend(course("saturated room", saturated));
    verdicts.extend(course("room at half", half));
    verdicts.extend(course("room at half of the limit", half_of_limit));
    verdicts
}

fn patience(figures: &StalledFigures) -> Vec<Verdict> {
    let StalledFigures { stalled, reading, stalling, run, .. } = figures;
    let ratio = stalling.p99_ms / reading.p99_ms.max(f64::MIN_POSITIVE);
    let mut verdicts = vec![Verdict {
        what: format!("p99 of the others when {stalled} of {} stall", run.connections),
        figure: format!("{:.0} %", ratio * 100.0),
        limit: format!("<= {:.0} %", STALLED_RATIO * 100.0),
        within: stalling.deliveries > 0 && ratio <= STALLED_RATIO,
    }];
    verdicts.extend(course("stalled room", run));
    verdicts
}

fn two_nodes(run: &Run) -> Vec<Verdict> {
    let what = format!("p99 across nodes at {:.0} messages/s", asked(run));
    let mut verdicts = vec![delay(&what, run.across.p99_ms, ACROSS_P99_MS)];
    if run.across.deliveries == 0 {
        verdicts.push(fault("two nodes: deliveries across", 0));
    }
    verdicts.extend(course("two nodes", run));
    verdicts
}

fn asked(run: &Run) -> f64 {
    run.asked_per_s.unwrap_or_default()
}

fn delay(what: &str, figure: f64, limit: f64) -> Verdict {
    Verdict {
        what: what.to_owned(),
        figure: format!("{figure:.1} ms"),
        limit: format!("< {limit:.0} ms"),
        within: figure < limit,
    }
}

/// Judges whether the pace was kept, and everything came once and in order; silent when it did.
fn course(name: &str, run: &Run) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        run.faults.named().iter().map(|(what, count)| fault(&format!("{name}: {what}"), *count)).collect();
    if run.published_per_s < asked(run) * PACE_KEPT {
        verdicts.push(Verdict {
            what: format!("{name}: messages published a second"),
            figure: format!("{:.1}", run.published_per_s),
            limit: format!(">= {:.1}", asked(run) * PACE_KEPT),
            within: false,
        });
    }
    if run.deliveries_per_s <= 0.0 {
        verdicts.push(fault(&format!("{name}: deliveries"), 0));
    }
    verdicts
}

fn fault(what: &str, count: u64) -> Verdict {
    let limit = if count > 0 { "none" } else { "some" };
    Verdict { what: what.to_owned(), figure: count.to_string(), limit: limit.to_owned(), within: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::figures::{Cpu, Delays, FaultFigures};

    fn over(figures: &RealtimeFigures) -> usize {
        all(figures).iter().filter(|verdict| !verdict.within).count()
    }

    fn run(per_s: Option<f64>, cpu: f64, p99_ms: f64) -> Run {
        let delays = Delays { deliveries: 1, p99_ms, ..Delays::default() };
        Run {
            asked_per_s: per_s,
            published_per_s: per_s.unwrap_or(60.0),
            deliveries_per_s: 300_000.0,
            near: delays.clone(),
            across: delays,
            cpu: Cpu { servers: vec![cpu], ..Cpu::default() },
            ..Run::default()
        }
    }

    fn good() -> RealtimeFigures {
        let delays = Delays { deliveries: 1, p99_ms: 10.0, ..Delays::default() };
        RealtimeFigures {
            idle: Some(IdleFigures { kb_each: 12.0, ..IdleFigures::default() }),
            rooms: Some(run(Some(1_000.0), 0.99, 10.0)),
            fan_out: Some(FanOutFigures {
                saturated: run(None, 1.5, 900.0),
                half: run(Some(30.0), 1.0, 300.0),
                half_of_limit: run(Some(30.0), 1.0, 99.0),
                ..FanOutFigures::default()
            }),
            stalled: Some(StalledFigures {
                reading: delays.clone(),
                stalling: Delays { p99_ms: 11.0, ..delays },
                run: run(Some(30.0), 1.0, 11.0),
                ..StalledFigures::default()
            }),
            nodes: Some(run(Some(1_000.0), 0.5, 149.0)),
        }
    }

    #[test]
    fn figures_within_the_limits_pass() {
        assert_eq!(over(&good()), 0, "{:?}", all(&good()));
    }

    #[test]
    fn each_figure_over_its_limit_is_named() {
        let mut figures = good();
        figures.idle = Some(IdleFigures { kb_each: 12.1, ..IdleFigures::default() });
        figures.rooms = Some(run(Some(1_000.0), 1.0, 10.0));
        if let Some(room) = &mut figures.fan_out {
            room.saturated.deliveries_per_s = 299_999.0;
            room.half_of_limit.near.p99_ms = 100.0;
        }
        if let Some(stalled) = &mut figures.stalled {
            stalled.stalling.p99_ms = 11.2;
        }
        figures.nodes = Some(run(Some(1_000.0), 0.5, 150.0));
        assert_eq!(over(&figures), 6);
    }

    #[test]
    fn faults_and_a_pace_that_was_not_kept_are_named() {
        let ended = [("3008 too slow".to_owned(), 3)].into();
        let faults = FaultFigures { lost: 1, repeated: 1, late: 1, ended, ..FaultFigures::default() };
        let slow = Run { published_per_s: 949.0, faults, ..run(Some(1_000.0), 0.5, 10.0) };
        assert_eq!(over(&RealtimeFigures { nodes: Some(slow), ..RealtimeFigures::default() }), 5);
    }

    #[test]
    fn nothing_delivered_is_no_success() {
        let silent = Run { asked_per_s: Some(1.0), published_per_s: 1.0, ..Run::default() };
        let figures = RealtimeFigures { nodes: Some(silent), ..RealtimeFigures::default() };
        assert_eq!(over(&figures), 2, "neither at all nor across");
    }
}
