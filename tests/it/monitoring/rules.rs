//! The configuration of Prometheus, its rules, and their unit tests.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::files::{items, list, names, path, rules, text, yaml};

/// Runs promtool, which must be content.
fn promtool(arguments: &[&str], files: &[std::path::PathBuf]) {
    let output =
        Command::new("promtool").args(arguments).args(files).output().expect("promtool is installed");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn promtool_accepts_the_configuration_and_the_rules() {
    promtool(&["check", "config"], &[path("prometheus/prometheus.yml")]);
    promtool(&["check", "rules"], &list("prometheus/rules"));
}

#[test]
fn the_unit_tests_of_the_rules_pass() {
    promtool(&["test", "rules"], &list("prometheus/tests"));
}

#[test]
fn every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
    let (mut firing, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    for document in list("prometheus/tests").iter().map(|file| yaml(file)) {
        for test in items(&document["tests"]) {
            let cases = || items(&test["alert_rule_test"]);
            let fires = cases().any(|case| items(&case["exp_alerts"]).next().is_some());
            let alerts = if fires { &mut firing } else { &mut quiet };
            alerts.extend(cases().map(|case| text(case, "alertname").to_owned()));
        }
    }
    let alerts = names("alert");
    assert!(alerts.len() > 10, "{alerts:?}");
    assert_eq!(firing, alerts);
    assert_eq!(quiet, alerts);
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let guide = fs::read_to_string(path("docs/monitoring.md")).unwrap();
    for alert in rules().iter().filter(|rule| rule["alert"].is_string()) {
        let name = text(alert, "alert");
        let severity = text(&alert["labels"], "severity");
        assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
        let annotations = &alert["annotations"];
        assert_ne!(text(annotations, "summary"), text(annotations, "description"), "{name}");
        let anchor = format!("docs/monitoring.md#{}", name.to_lowercase());
        assert_eq!(text(annotations, "runbook"), anchor);
        assert!(guide.contains(&format!("\n#### {name}\n")), "docs/monitoring.md has no {name}");
    }
}

#[test]
fn the_guide_names_no_alert_that_is_gone() {
    let guide = fs::read_to_string(path("docs/monitoring.md")).unwrap();
    let headings = guide.lines().filter_map(|line| line.strip_prefix("#### "));
    assert_eq!(headings.map(str::to_owned).collect::<BTreeSet<_>>(), names("alert"));
}
