//! What a PromQL expression is about.

use std::collections::BTreeSet;

/// Words that are followed by a list of labels.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Operators that are words.
const OPERATORS: [&str; 5] = ["and", "or", "unless", "offset", "bool"];

/// The names of all metrics in an expression.
pub fn metrics(expression: &str) -> BTreeSet<String> {
    let words = words(&without_details(expression));
    let mut found = BTreeSet::new();
    let mut is_list = false;
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
        if LISTS.contains(&word.as_str()) {
            is_list = true;
        } else if word == ")" {
            is_list = false;
        } else if is_name && !is_list && !OPERATORS.contains(&word.as_str()) {
            // Functions and aggregations are not names.
            let is_call = next == "(" || ["by", "without"].contains(&next);
            if !is_call {
                found.insert(word.clone());
            }
        }
    }
    found
}

/// Without texts, selectors of labels, and ranges.
fn without_details(expression: &str) -> String {
    let (mut kept, mut depth) = (String::new(), 0);
    let mut chars = expression.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth -= 1;
                kept.push(' ');
            }
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn words(expression: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in expression.chars() {
        let is_part = c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '.';
        match words.last_mut() {
            Some(word) if is_part && is_open => word.push(c),
            _ if is_part || c == '(' || c == ')' => words.push(c.to_string()),
            _ => {}
        }
        is_open = is_part;
    }
    words
}

/// An expression of a dashboard, as Grafana sends it with everything chosen.
pub fn resolved(expression: &str) -> String {
    let variables = [("$__rate_interval", "1m"), ("$__range", "5m"), ("$job", ".*"), ("$instance", ".*")];
    let resolved =
        variables.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!resolved.contains('$'), "an unknown variable: {resolved}");
    resolved
}

#[test]
fn names_of_metrics_are_found_among_functions_labels_and_texts() {
    let found = metrics(
        r#"topk(10, sum by (job, le) (rate(a_count{b=~"c{d}", e="f)"}[5m]))) / on (g) group_left () (h offset 5m)
           and clamp_min(time() - i:j:k, 0.5) > 1e3 or m unless sum(n) without (o) == bool 2"#,
    );
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a_count", "h", "i:j:k", "m", "n"]);
}
