//! Dashboards and rules over what a running server tells.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::bed::Bed;
use super::expression::{metrics, resolved};
use super::files::{Dashboard, expressions, names, path, rules, text};
use super::prometheus::Prometheus;

/// Counters that are first shown when something goes wrong, by the texts that name them in `src/`.
const SHOWN_WHEN_IT_HAPPENS: [(&str, &str); 6] = [
    ("liveloom_gifts_flagged_total", "liveloom_gifts_flagged_total"),
    ("liveloom_reaction_failures_total", "liveloom_reaction_failures_total"),
    ("liveloom_realtime_closed_total", "closed_total"),
    ("liveloom_realtime_dropped_total", "dropped_total"),
    ("liveloom_realtime_gaps_total", "gaps_total"),
    ("liveloom_review_calls_total", "liveloom_review_calls_total"),
];
/// What Prometheus itself adds.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];
/// How long it may take until all panels show something.
const LIMIT: Duration = Duration::from_secs(35);

/// Every expression with where it is from.
fn all_expressions() -> Vec<(String, String)> {
    let rules = rules().into_iter().map(|rule| {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).expect("a name");
        (name.to_owned(), text(&rule, "expr").to_owned())
    });
    let dashboards = Dashboard::all();
    let panels = dashboards.iter().flat_map(|dashboard| {
        let panels = dashboard.panels().into_iter().flat_map(expressions);
        let of_dashboard = panels.chain(dashboard.annotations());
        of_dashboard.map(|expression| (dashboard.file.clone(), expression.to_owned()))
    });
    rules.chain(panels).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { sources(&entry, found) } else { found.push(entry) }
    }
}

/// Those of [`SHOWN_WHEN_IT_HAPPENS`] that the sources still name.
fn shown_when_it_happens() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&path("src"), &mut files);
    let code: String = files.iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
    let named = SHOWN_WHEN_IT_HAPPENS.iter().filter(|(_, named)| code.contains(&format!("\"{named}\"")));
    named.map(|(name, _)| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboards_and_rules_name_only_metrics_that_there_are_and_the_guide_all() {
    let mut bed = Bed::start().await;
    let began = Instant::now();
    let page = loop {
        bed.live_on().await;
        let page = bed.metrics().await;
        // The first runs of jobs and the first callbacks come a moment after the traffic.
        let unknown = unknown_metrics(&page);
        if unknown.is_empty() {
            break page;
        }
        assert!(began.elapsed() < LIMIT, "there is no {unknown:#?}");
    };
    assert_guide_names_all(&page);
}

/// The metrics of expressions that nobody shows, by where they are named.
fn unknown_metrics(page: &str) -> BTreeSet<(String, String)> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let shown = lines.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned));
    let mut known: BTreeSet<_> = shown.collect();
    assert!(known.contains("qnlive_http_api_bucket"), "{page}");
    known.extend(names("record"));
    known.extend(shown_when_it_happens());
    known.extend(OF_PROMETHEUS.map(str::to_owned));
    let named = all_expressions().into_iter().flat_map(|(place, expression)| {
        let named = metrics(&expression);
        assert!(!named.is_empty(), "{place}: {expression} is about nothing");
        named.into_iter().map(move |name| (place.clone(), name))
    });
    named.filter(|(_, name)| !known.contains(name)).collect()
}

/// docs/monitoring.md has every metric of a page of the exporter.
fn assert_guide_names_all(page: &str) {
    let guide = fs::read_to_string(path("docs/monitoring.md")).unwrap();
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let shown = types.filter_map(|line| line.split(' ').next());
    for name in shown.chain(SHOWN_WHEN_IT_HAPPENS.map(|(name, _)| name)) {
        let is_named = ["`", "{"].iter().any(|end| guide.contains(&format!("`{name}{end}")));
        assert!(is_named, "docs/monitoring.md has no {name}");
    }
}

/// A panel with a text for "nothing" (`noValue`) may be empty; the others must show something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_takes_every_rule_and_has_data_for_every_panel() {
    let mut bed = Bed::start().await;
    let prometheus = Prometheus::start(&bed.exporter()).await;
    let mut empty = Vec::new();
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels() {
            let may_be_empty = panel["fieldConfig"]["defaults"]["noValue"].is_string();
            for expression in expressions(panel).into_iter().map(resolved) {
                prometheus.values(&expression).await;
                if !may_be_empty {
                    empty.push((text(panel, "title").to_owned(), expression));
                }
            }
        }
        for expression in dashboard.annotations() {
            prometheus.values(&resolved(expression)).await;
        }
    }
    let began = Instant::now();
    while !empty.is_empty() {
        assert!(began.elapsed() < LIMIT, "no data: {empty:#?}");
        bed.live_on().await;
        let mut still_empty = Vec::new();
        for (title, expression) in empty {
            if !prometheus.values(&expression).await.iter().any(|value| value.is_finite()) {
                still_empty.push((title, expression));
            }
        }
        empty = still_empty;
    }
    assert_rules_are_quiet(&prometheus, began).await;
}

/// All rules were evaluated without an error, and nobody is called because of a healthy server.
async fn assert_rules_are_quiet(prometheus: &Prometheus, began: Instant) {
    let all = loop {
        let all = prometheus.rules().await;
        if all.iter().all(|rule| rule["health"] != "unknown") {
            break all;
        }
        assert!(began.elapsed() < LIMIT, "not evaluated: {all:#?}");
    };
    assert_eq!(all.len(), rules().len());
    for rule in all {
        assert_eq!(rule["health"], "ok", "{rule:#}");
        assert!(rule["state"].is_null() || rule["state"] == "inactive", "{rule:#}");
    }
}

/// A Pushgateway overwrites them with those of the group, and refuses the whole push when series then collide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_metric_has_a_label_that_is_the_targets() {
    let told = Bed::start().await.metrics().await;
    let labels = told.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('{'));
    let taken = labels.filter(|(_, labels)| {
        labels.split(',').any(|label| label.starts_with("job=") || label.starts_with("instance="))
    });
    assert_eq!(taken.map(|(name, _)| name).collect::<BTreeSet<_>>(), BTreeSet::new());
    assert!(told.contains("liveloom_job_interval_seconds{task="), "jobs are told of");
}
