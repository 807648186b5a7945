//! Every marked step has a test that kills the server there.

use common::crash::POINTS;

use crate::support::sources;

#[test]
fn every_marked_step_is_named_by_a_test() {
    let text = sources::of_tests();
    // As a text of its own, or with how often it is to be reached.
    let is_named =
        |step: &str| [format!("\"{step}\""), format!("\"{step}:")].iter().any(|way| text.contains(way));
    let missing: Vec<_> = POINTS.iter().filter(|step| !is_named(step)).collect();
    assert!(missing.is_empty(), "nobody kills the server at {missing:?}");
}
