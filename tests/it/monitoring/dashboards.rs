//! The dashboards, as far as they can be judged without Grafana.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::files::{Dashboard, expressions, items, path, text, yaml};

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// The one data source that Grafana is provisioned with.
fn provisioned() -> Value {
    let provisioned = yaml(&path("grafana/provisioning/datasources/prometheus.yml"));
    let [source] = provisioned["datasources"].as_array().unwrap().as_slice() else { panic!("one") };
    source.clone()
}

#[test]
fn dashboards_have_ids_and_titles_of_their_own() {
    let dashboards = Dashboard::all();
    let distinct = |key: &str| dashboards.iter().map(|one| text(&one.json, key)).collect::<BTreeSet<_>>();
    assert_eq!(distinct("uid").len(), dashboards.len());
    assert_eq!(distinct("title").len(), dashboards.len());
    for Dashboard { file, json } in &dashboards {
        // Grafana gives the number itself; one in the file would be another dashboard's elsewhere.
        assert!(json["id"].is_null() && text(json, "uid").len() <= 40, "{file}");
        let ids: Vec<_> = items(&json["panels"]).map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{file}: ids of panels repeat");
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    for dashboard in Dashboard::all() {
        let mut titles = BTreeSet::new();
        for panel in dashboard.panels() {
            let title = text(panel, "title");
            text(panel, "description");
            text(&panel["fieldConfig"]["defaults"], "unit");
            assert!(!expressions(panel).is_empty(), "{}: {title} shows nothing", dashboard.file);
            let kind = text(panel, "type");
            assert!(
                ["stat", "timeseries", "table", "heatmap"].contains(&kind),
                "{title}: {kind} may be a plugin"
            );
            assert!(titles.insert(title), "{}: {title} twice", dashboard.file);
        }
    }
}

#[test]
fn everything_comes_from_the_chosen_data_source_at_first_the_provisioned_one() {
    let provisioned = provisioned();
    let chosen = json!({"type": "prometheus", "uid": "${datasource}"});
    for Dashboard { file, json } in Dashboard::all() {
        let names: Vec<_> =
            items(&json["templating"]["list"]).map(|variable| text(variable, "name")).collect();
        assert_eq!(names, ["datasource", "job", "instance"], "{file}");
        let [choice, variables @ ..] = json["templating"]["list"].as_array().unwrap().as_slice() else {
            panic!("{file}: no choice of a data source")
        };
        assert_eq!((&choice["type"], &choice["query"]), (&json!("datasource"), &provisioned["type"]));
        assert_eq!(choice["current"]["value"], provisioned["uid"], "{file}");
        let panels = items(&json["panels"]).filter(|panel| panel["type"] != "row");
        let targets = panels.clone().flat_map(|panel| items(&panel["targets"]));
        let annotations = items(&json["annotations"]["list"]).filter(|one| one["builtIn"].is_null());
        for user in variables.iter().chain(panels).chain(targets).chain(annotations) {
            assert_eq!(user["datasource"], chosen, "{file}: {user:#}");
        }
    }
}

#[test]
fn panels_fill_the_grid_without_lying_upon_each_other() {
    for Dashboard { file, json } in Dashboard::all() {
        let mut taken = BTreeSet::new();
        for panel in items(&json["panels"]) {
            let at =
                |key: &str| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{file}: {panel:#}"));
            let (x, y, width, height) = (at("x"), at("y"), at("w"), at("h"));
            let title = text(panel, "title");
            assert!(width > 0 && height > 0 && x + width <= COLUMNS, "{file}: {title} is beside the grid");
            for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{file}: {title} lies upon another panel");
            }
        }
    }
}

#[test]
fn the_provider_reads_the_dashboards() {
    let provisioned = yaml(&path("grafana/provisioning/dashboards/liveloom.yml"));
    let [provider] = provisioned["providers"].as_array().unwrap().as_slice() else { panic!("one") };
    assert_eq!(provider["type"], "file");
    assert_eq!(provider["allowUiUpdates"], false, "the files are the truth");
    text(&provider["options"], "path");
}
