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

/// Operators that choose among series, the longest first.
const CHOOSERS: [&str; 9] = [" unless ", " and ", " or ", " == ", " != ", " >= ", " <= ", " > ", " < "];

/// What an alert compares, each for itself: its operands without thresholds, and without a look at former
/// times. What it finds is empty while all is well; what it looks at must not be.
pub fn compared(expression: &str) -> Vec<String> {
    let now = without_offsets(&expression.split_whitespace().collect::<Vec<_>>().join(" "));
    let (first, others) = apart(&now);
    let all = std::iter::once(first).chain(others);
    all.filter(|operand| operand.trim().parse::<f64>().is_err()).collect()
}

fn without_offsets(expression: &str) -> String {
    let mut parts = expression.split(" offset ");
    let first = parts.next().unwrap_or_default().to_owned();
    let is_time = |c: char| c.is_ascii_alphanumeric();
    parts.fold(first, |text, part| text + part.trim_start_matches(is_time))
}

/// The first operand of an expression, in all of its parentheses; and the others.
fn apart(expression: &str) -> (String, Vec<String>) {
    let operands = operands(expression);
    let (mut firsts, mut others) = (Vec::new(), Vec::new());
    for operand in operands {
        let (kept, more) = parentheses_apart(operand);
        firsts.push(kept);
        others.extend(more);
    }
    let first = firsts.remove(0);
    (first, firsts.into_iter().chain(others).collect())
}

/// Splits at the operators outside of parentheses, labels and texts.
fn operands(expression: &str) -> Vec<&str> {
    let (mut found, mut from, mut at) = (Vec::new(), 0, 0);
    while at < expression.len() {
        let rest = &expression[at..];
        if let Some(operator) = CHOOSERS.iter().find(|operator| rest.starts_with(**operator)) {
            found.push(&expression[from..at]);
            at += operator.len() - 1;
            from = at;
        } else {
            at += closed_length(rest);
        }
    }
    found.push(&expression[from..]);
    found.into_iter().map(without_matching).collect()
}

/// An operand without how the operator before it matches.
fn without_matching(mut operand: &str) -> &str {
    let begins = ["on (", "ignoring (", "group_left (", "group_right ("];
    while begins.iter().any(|begin| operand.trim_start().starts_with(begin)) {
        let opening = operand.find('(').unwrap();
        operand = &operand[opening + closed_length(&operand[opening..])..];
    }
    operand.trim()
}

/// How long what an expression begins with is: a parenthesis, a selector or a range to its end, or one
/// character.
fn closed_length(expression: &str) -> usize {
    let (mut depth, mut is_text) = (0, false);
    for (at, c) in expression.char_indices() {
        match c {
            '"' => is_text = !is_text,
            '(' | '{' | '[' if !is_text => depth += 1,
            ')' | '}' | ']' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 && !is_text {
            return at + c.len_utf8();
        }
    }
    panic!("{expression} is not closed");
}

fn parentheses_apart(operand: &str) -> (String, Vec<String>) {
    let (mut kept, mut others, mut at) = (String::new(), Vec::new(), 0);
    while at < operand.len() {
        let rest = &operand[at..];
        let length = closed_length(rest);
        if rest.starts_with('(') {
            let (first, more) = apart(&rest[1..length - 1]);
            // Nothing is absent while all is well.
            kept = kept.strip_suffix("absent").map(str::to_owned).unwrap_or(kept);
            kept.push_str(&format!("({first})"));
            others.extend(more);
        } else {
            kept.push_str(&rest[..length]);
        }
        at += length;
    }
    (kept, others)
}

#[test]
fn what_an_alert_compares_is_taken_apart() {
    let cases: [(&str, &[&str]); 6] = [
        (r#"up{job="a > b"} == 0"#, &[r#"up{job="a > b"}"#]),
        ("absent(up == 1)", &["(up)"]),
        ("a < 0.5 * (a offset 5m > 100)", &["a", "0.5 * (a)"]),
        (
            "sum by (x) (a) > 0 or sum by (x) (b unless b offset 15m) > 0",
            &["sum by (x) (a)", "sum by (x) (b)", "b"],
        ),
        ("a == 0 and b == on (x, y) group_left () max by (x) (c)", &["a", "b", "max by (x) (c)"]),
        ("a > 60 + 3 * max by (x) (b)", &["a", "60 + 3 * max by (x) (b)"]),
    ];
    for (expression, wanted) in cases {
        assert_eq!(compared(expression), wanted, "{expression}");
    }
}

#[test]
fn names_of_metrics_are_found_among_functions_labels_and_texts() {
    let found = metrics(
        r#"topk(10, sum by (job, le) (rate(a_count{b=~"c{d}", e="f)"}[5m]))) / on (g) group_left () (h offset 5m)
           and clamp_min(time() - i:j:k, 0.5) > 1e3 or m unless sum(n) without (o) == bool 2"#,
    );
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a_count", "h", "i:j:k", "m", "n"]);
}
