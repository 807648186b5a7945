//! The records of jobs: what the nodes' logs say of each run.

use std::collections::BTreeSet;
use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use testbed::Cluster;

/// The logger of the schedule.
const TARGET: &str = "liveloom::jobs::schedule";
/// What makes the nodes tell of each run.
pub const FILTER: &str = "warn,liveloom::jobs=debug";

/// A run of a job.
#[derive(Clone, Debug)]
pub struct Run {
    pub task: String,
    pub node: u16,
    pub begun: DateTime<Utc>,
    /// None while it goes on, or when the node ended first.
    pub ended: Option<DateTime<Utc>>,
}

/// All runs so far, of all nodes.
pub fn all(cluster: &Cluster) -> Vec<Run> {
    let nodes = cluster.nodes().iter();
    nodes
        .flat_map(|node| of_log(node.id, &fs::read_to_string(node.daemon.log()).unwrap_or_default()))
        .collect()
}

fn of_log(node: u16, log: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines.filter(|line| line["target"] == TARGET) {
        let Some(task) = line["task"].as_str() else { continue };
        let at = line["timestamp"].as_str().unwrap().parse().unwrap();
        match line["message"].as_str() {
            Some("job begins") => runs.push(Run { task: task.to_owned(), node, begun: at, ended: None }),
            Some("job ended") => {
                let run = runs.iter_mut().rev().find(|run| run.task == task).expect("it has begun");
                run.ended = Some(at);
            }
            _ => {}
        }
    }
    runs
}

/// The names of the jobs that a node has run.
pub fn tasks_of(runs: &[Run], node: u16) -> BTreeSet<String> {
    runs.iter().filter(|run| run.node == node).map(|run| run.task.clone()).collect()
}

/// Those of `tasks` that no node but `former` has begun between `since` and `since + within`.
pub fn missing<'a>(
    runs: &[Run],
    tasks: &'a BTreeSet<String>,
    former: u16,
    since: DateTime<Utc>,
    within: TimeDelta,
) -> Vec<&'a str> {
    let in_time = |run: &Run| run.node != former && (since..=since + within).contains(&run.begun);
    let begun: BTreeSet<&str> = runs.iter().filter(|run| in_time(run)).map(|run| run.task.as_str()).collect();
    tasks.iter().map(String::as_str).filter(|task| !begun.contains(task)).collect()
}

/// No two nodes ran the same job at the same time. A run that did not end did so, at the latest, `over`: when its
/// node was killed or frozen.
pub fn assert_alone(runs: &[Run], over: &[(u16, DateTime<Utc>)]) {
    let end_of = |run: &Run| {
        let stopped =
            over.iter().filter(|(node, at)| *node == run.node && *at >= run.begun).map(|(_, at)| *at).min();
        match (run.ended, stopped) {
            (Some(ended), Some(stopped)) => ended.min(stopped),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => DateTime::<Utc>::MAX_UTC,
        }
    };
    for run in runs {
        let others = runs.iter().filter(|other| other.task == run.task && other.node != run.node);
        for other in others.filter(|other| other.begun >= run.begun) {
            assert!(end_of(run) <= other.begun, "two at once: {run:?}, {other:?}");
        }
    }
}
