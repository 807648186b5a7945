//! The files with which operators run the server, and the documents that say how.

mod compose;
mod documents;
mod erasure;
mod image;
mod kubernetes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;

/// How long the server may take at most from SIGTERM to its end: `realtime.drain_s`, what its requests get then, and
/// as much again for consumers and leases.
const STOP_S: u64 = 25;

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file of the repository.
pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names and values of `.env.example`.
fn example() -> BTreeMap<String, String> {
    let text = text(".env.example");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.into(), value.into())).collect()
}

/// The names in `${NAME}`, `${NAME:-…}` and `${NAME:?…}`.
fn references(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let parts = lines.flat_map(|line| line.split("${").skip(1));
    parts.map(|part| part.split([':', '}']).next().unwrap().to_owned()).collect()
}

/// The keys of a mapping.
fn keys(map: &Value) -> BTreeSet<String> {
    map.as_mapping().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// The texts of a mapping.
fn texts(map: &Value) -> Vec<(String, String)> {
    let entries = map.as_mapping().unwrap().iter();
    entries
        .map(|(key, value)| (key.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// What `liveloom check-config` says of a file with these variables and no others.
fn check_config(file: &Path, variables: Vec<(String, String)>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liveloom"));
    command.arg("check-config").arg("-f").arg(file).env_clear().envs(variables).output().unwrap()
}

/// Standard output of a command that must succeed and have no complaints.
fn said(what: &str, output: Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{out}{err}", output.status);
    assert_eq!(err, "", "{what}");
    out.into_owned()
}

#[test]
fn systemd_waits_for_the_server_to_stop() {
    let unit = text("deploy/systemd/liveloom.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    assert!(value("TimeoutStopSec=").parse::<u64>().unwrap() > STOP_S);
    assert_eq!(value("Restart="), "always");
    let words: Vec<_> = value("ExecStart=/usr/local/bin/liveloom ").split(' ').collect();
    assert_eq!(words, ["serve", "--config", "/etc/liveloom/config.yaml"]);
}
