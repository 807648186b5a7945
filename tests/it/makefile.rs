//! What `make` lets tests do is there: a name that no test has would test nothing, and nobody would see it.

use crate::support::sources;

const MAKEFILE: &str = include_str!("../../Makefile");
const RUN: &str = include_str!("../run");

#[test]
fn every_name_that_make_filters_by_is_one_of_a_test() {
    let text = sources::of_tests();
    let runs = MAKEFILE.lines().filter_map(|line| line.split_once("tests/run --test it -- "));
    let filters: Vec<&str> =
        runs.flat_map(|(_, names)| names.split(' ')).filter(|name| !name.starts_with(['-', '$'])).collect();
    assert!(filters.len() > 5, "{filters:?}");
    for filter in filters {
        for part in filter.split("::").filter(|part| !part.is_empty()) {
            let is_there = text.contains(&format!("mod {part}")) || text.contains(&format!("fn {part}"));
            assert!(is_there, "{filter}: there is no {part}");
        }
    }
}

#[test]
fn every_variable_that_make_sets_is_read() {
    let text = sources::of_tests();
    let set: Vec<&str> = MAKEFILE
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("LIVELOOM_"))
        .collect();
    assert!(set.len() > 5, "{set:?}");
    for variable in set {
        let is_read = text.contains(&format!("\"{variable}\"")) || RUN.contains(&format!("${{{variable}"));
        assert!(is_read, "nobody reads {variable}");
    }
}
