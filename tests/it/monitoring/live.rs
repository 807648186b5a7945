//! Dashboards and rules over what a running server tells.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use super::bed::Bed;
use super::expression::{compared, metrics, resolved};
use super::files::{Dashboard, expressions, names, path, rules, text};
use super::prometheus::{Api, Prometheus};
use crate::support::server::Backend;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboards_and_rules_name_only_metrics_that_there_are_and_the_guide_all() {
    let mut bed = Bed::start(Backend::Redis).await;
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
    for name in shown {
        let is_named = ["`", "{"].iter().any(|end| guide.contains(&format!("`{name}{end}")));
        assert!(is_named, "docs/monitoring.md has no {name}");
    }
}

/// Every expression of panels and recording rules, and what alerts compare. Annotations are about what
/// happens seldom: they need only be accepted.
pub async fn all_to_be_shown(prometheus: &Api) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for dashboard in Dashboard::all() {
        for expression in dashboard.annotations() {
            prometheus.values(&resolved(expression)).await;
        }
        for panel in dashboard.panels() {
            let place = format!("{}: {}", dashboard.file, text(panel, "title"));
            shown.extend(expressions(panel).into_iter().map(|one| (place.clone(), resolved(one))));
        }
    }
    for rule in rules() {
        let expression = text(&rule, "expr");
        match rule["alert"].as_str() {
            Some(alert) => shown.extend(compared(expression).into_iter().map(|one| (alert.to_owned(), one))),
            None => shown.push((text(&rule, "record").to_owned(), expression.to_owned())),
        }
    }
    shown
}

/// Those of the expressions that have no data yet.
pub async fn without_data(prometheus: &Api, expressions: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut empty = Vec::new();
    for (place, expression) in expressions {
        let values = prometheus.values(&expression).await;
        // The share of what never happened among what never happened is no number.
        let is_ratio = place.starts_with("Liveloom") || place.starts_with("job:");
        if !values.iter().any(|value| value.is_finite() || is_ratio && value.is_nan()) {
            empty.push((place, expression));
        }
    }
    empty
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_takes_every_rule_and_has_data_for_every_panel_and_alert() {
    let mut bed = Bed::start(Backend::Redis).await;
    let prometheus = Prometheus::start(&bed.exporter()).await;
    let mut empty = all_to_be_shown(&prometheus).await;
    assert!(empty.len() > 150, "{}", empty.len());
    let began = Instant::now();
    while !empty.is_empty() {
        assert!(began.elapsed() < LIMIT, "no data: {empty:#?}");
        bed.live_on().await;
        empty = without_data(&prometheus, empty).await;
    }
    assert_rules_are_quiet(&prometheus, began).await;
}

/// All rules were evaluated without an error, and nobody is called because of a healthy server.
async fn assert_rules_are_quiet(prometheus: &Api, began: Instant) {
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
        assert_ne!(rule["state"], "firing", "{rule:#}");
    }
}

/// A Pushgateway overwrites them with those of the group, and refuses the whole push when series then collide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_metric_has_a_label_that_is_the_targets() {
    let told = Bed::start(Backend::Redis).await.metrics().await;
    let labels = told.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('{'));
    let taken = labels.filter(|(_, labels)| {
        labels.split(',').any(|label| label.starts_with("job=") || label.starts_with("instance="))
    });
    assert_eq!(taken.map(|(name, _)| name).collect::<BTreeSet<_>>(), BTreeSet::new());
    assert!(told.contains("liveloom_job_interval_seconds{task="), "jobs are told of");
}
