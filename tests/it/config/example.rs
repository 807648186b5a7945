//! `config.example.yaml` and docs/configuration.md name what the code knows.

use std::collections::BTreeSet;

use config::{Config, DatabaseConfig, Secret};
use serde_yaml::Value;

use super::{KEYS, Setup};

const EXAMPLE: &str = include_str!("../../../config.example.yaml");
const PAGE: &str = include_str!("../../../docs/configuration.md");

/// The example with its alternative (the lines behind a bare `#`) in the place of the default.
fn with_alternatives() -> String {
    let lines = EXAMPLE.lines().filter(|line| line.trim() != "databases: []").map(|line| {
        let indent = line.len() - line.trim_start().len();
        let is_setting = |rest: &str| !rest.starts_with(' ') || rest.starts_with("  ");
        match line.trim_start().strip_prefix('#') {
            Some(rest) if !rest.is_empty() && is_setting(rest) => format!("{}{rest}", " ".repeat(indent)),
            _ => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn collect(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap();
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                collect(value, &path, keys);
                keys.insert(path);
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| collect(item, &format!("{path}[]"), keys)),
        _ => {}
    }
}

#[test]
fn the_example_parses_to_the_built_in_defaults() {
    let config = Setup::new(EXAMPLE).overlay(KEYS).config();
    let mut expected = Config::default();
    expected.auth.jwt_keys = vec![Secret::new("signing-key-of-the-tests")];
    expected.auth.server.access_key = "server-ak".to_owned();
    expected.auth.server.secret_key = Secret::new("server-sk-of-the-tests");
    assert_eq!(config, expected);
}

#[test]
fn the_example_says_which_keys_must_be_filled_in() {
    let mistakes = Setup::new(EXAMPLE).mistakes();
    let keys: Vec<_> = mistakes.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(keys, ["auth.jwt_key", "auth.server.access_key", "auth.server.secret_key"]);
}

#[test]
fn the_example_names_every_known_key() {
    let mut named = BTreeSet::new();
    collect(&serde_yaml::from_str(&with_alternatives()).unwrap(), "", &mut named);
    assert_eq!(named, Config::known_keys());
}

#[test]
fn the_examples_database_has_the_defaults() {
    let config = Setup::new(&with_alternatives()).overlay(KEYS).config();
    let required = DatabaseConfig {
        host: "127.0.0.1".to_owned(),
        username: "live".to_owned(),
        database: "live".to_owned(),
        ..DatabaseConfig::default()
    };
    assert_eq!(config.mysql.databases, [required]);
}

#[test]
fn every_key_of_the_example_is_explained() {
    let lines: Vec<&str> =
        EXAMPLE.lines().map(|line| line.trim().trim_start_matches(['#', ' ', '-'])).collect();
    let raw: Vec<&str> = EXAMPLE.lines().map(str::trim).collect();
    let mut explained = 0;
    for (index, line) in lines.iter().enumerate() {
        let is_key = line.split_once(':').is_some_and(|(key, value)| {
            !value.starts_with(char::is_alphabetic) && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
        // The alternative to `databases: []` stands right below it.
        if is_key && raw[index] != "#databases:" {
            let above = raw[index - 1];
            assert!(above.starts_with('#') && above.len() > 8, "line {}: {line}", index + 1);
            explained += 1;
        }
    }
    assert_eq!(explained, Config::known_keys().len());
}

#[test]
fn the_page_of_the_documentation_names_every_known_key() {
    for key in Config::known_keys() {
        let name = key.rsplit('.').next().unwrap();
        assert!(PAGE.contains(&format!("`{name}`")), "{key} is not on the page");
    }
}
