//! The documents say what the project is made of.

use std::fs;
use std::path::{Path, PathBuf};

const DEPENDENCIES: &str = include_str!("../../docs/DEPENDENCIES.md");

/// The manifests of the server and of the crates that it is made of.
fn manifests() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = fs::read_dir(root.join("crates")).unwrap().map(|folder| folder.unwrap().path());
    let manifests = folders.map(|folder| folder.join("Cargo.toml")).filter(|manifest| manifest.exists());
    manifests.chain([root.join("Cargo.toml")]).collect()
}

/// Names of the crates in one section of a manifest; of this repository's own ones, none.
fn crates<'a>(manifest: &'a str, section: &str) -> Vec<&'a str> {
    let Some((_, after)) = manifest.split_once(&format!("\n[{section}]\n")) else { return Vec::new() };
    let lines = after.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once([' ', '.', '=']).map(|(name, _)| name));
    names.filter(|name| !name.is_empty() && !name.starts_with('#') && !is_own(name)).collect()
}

fn is_own(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("crates").join(name).exists() || root.join(name).exists()
}

#[test]
fn every_dependency_is_explained() {
    let words = || DEPENDENCIES.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
    for path in manifests() {
        let manifest = fs::read_to_string(&path).unwrap();
        assert!(crates(&manifest, "dependencies").len() > 2, "{}", path.display());
        for section in ["dependencies", "dev-dependencies"] {
            for name in crates(&manifest, section) {
                let is_named = words().any(|word| word == name);
                assert!(is_named, "{}: {name} is not in docs/DEPENDENCIES.md", path.display());
            }
        }
    }
}
