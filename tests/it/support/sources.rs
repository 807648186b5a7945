//! The integration tests as texts.

use std::fs;
use std::path::Path;

/// All their sources.
pub fn of_tests() -> String {
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"))
}

fn below(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    text
}
