//! The configuration: files, environment, mistakes, and the files of QNLiveKit_Server.

mod command;
mod embedded;
mod example;
mod mistakes;
mod reference;
mod rules;
mod secrets;
mod sources;
mod strength;

use std::fs;

use config::{Config, Environment, Loaded, Problems, Sources};
use tempfile::TempDir;

/// The keys without which no file is valid.
const KEYS: &str = "auth: {jwt_key: signing-key-of-the-tests, server: {access_key: server-ak, secret_key: server-sk-of-the-tests}}\n";

/// A folder with a `config.yaml`, a second file when there is one, and an environment.
struct Setup {
    dir: TempDir,
    env: Environment,
}

impl Setup {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.yaml"), text).unwrap();
        Self { dir, env: Environment::new() }
    }

    fn overlay(self, text: &str) -> Self {
        fs::write(self.dir.path().join("second.yaml"), text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, Problems> {
        let overlay = Some(self.dir.path().join("second.yaml")).filter(|path| path.exists());
        let env = self.env.clone();
        Config::load(&Sources { file: self.dir.path().join("config.yaml"), overlay, env })
    }

    fn valid(&self) -> Loaded {
        self.load().map_err(|problems| problems.to_string()).unwrap()
    }

    fn config(&self) -> Config {
        self.valid().config
    }

    /// The mistakes, a line each, with the files' names instead of their paths.
    fn mistakes(&self) -> Vec<String> {
        self.lines(&self.load().unwrap_err().to_string())
    }

    fn warnings(&self) -> Vec<String> {
        let loaded = self.valid();
        let lines: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        self.lines(&lines.join("\n"))
    }

    fn lines(&self, text: &str) -> Vec<String> {
        let folder = format!("{}/", self.dir.path().display());
        text.lines().map(|line| line.replace(&folder, "")).collect()
    }
}

/// A file with the required keys and `text`.
fn with_keys(text: &str) -> Setup {
    Setup::new(&format!("{KEYS}{text}"))
}
