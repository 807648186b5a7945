//! Every marked step has a test that kills the server there.

use std::fs;
use std::path::Path;

use liveloom::crash::POINTS;

/// All sources of the integration tests.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    text
}

#[test]
fn every_marked_step_is_named_by_a_test() {
    let text = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    // As a text of its own, or with how often it is to be reached.
    let is_named =
        |step: &str| [format!("\"{step}\""), format!("\"{step}:")].iter().any(|way| text.contains(way));
    let missing: Vec<_> = POINTS.iter().filter(|step| !is_named(step)).collect();
    assert!(missing.is_empty(), "nobody kills the server at {missing:?}");
}
