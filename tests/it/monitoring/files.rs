//! The files under test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file or folder of the repository.
pub fn path(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

/// The files of a folder, which has some.
pub fn list(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

/// The document of a YAML file.
pub fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Whatever is in a list; nothing when it is not there.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_array().into_iter().flatten()
}

/// The text of a key, which must be there and not empty.
#[track_caller]
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("no {key} in {value:#}"))
}

/// All recording and alert rules.
pub fn rules() -> Vec<Value> {
    let documents = list("prometheus/rules").into_iter().map(|file| yaml(&file));
    let groups = documents.flat_map(|document| items(&document["groups"]).cloned().collect::<Vec<_>>());
    groups.flat_map(|group| items(&group["rules"]).cloned().collect::<Vec<_>>()).collect()
}

/// The values of a key of the rules (`record` or `alert`).
pub fn names(key: &str) -> BTreeSet<String> {
    rules().iter().filter_map(|rule| rule[key].as_str()).map(str::to_owned).collect()
}

/// A dashboard.
pub struct Dashboard {
    pub file: String,
    pub json: Value,
}

impl Dashboard {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let load = |path: PathBuf| Self {
            file: path.file_name().unwrap().to_string_lossy().into_owned(),
            json: serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap(),
        };
        list("grafana/dashboards").into_iter().map(load).collect()
    }

    /// The panels that show something, without the headings of rows.
    pub fn panels(&self) -> Vec<&Value> {
        items(&self.json["panels"]).filter(|panel| panel["type"] != "row").collect()
    }

    /// The expressions of the annotations.
    pub fn annotations(&self) -> Vec<&str> {
        let list = items(&self.json["annotations"]["list"]);
        list.filter_map(|annotation| annotation["expr"].as_str()).collect()
    }
}

/// The expressions of a panel.
pub fn expressions(panel: &Value) -> Vec<&str> {
    items(&panel["targets"]).map(|target| text(target, "expr")).collect()
}
