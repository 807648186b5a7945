//! `${NAME}` and `${NAME:-default}` inside scalars.

use std::collections::BTreeMap;

use super::document::{Node, Value};
use super::problem::Problem;

/// The environment, as name and value.
pub type Environment = BTreeMap<String, String>;

/// Variables that the reference's docker files leave unset when the feature is not used.
const MAY_BE_UNSET: [&str; 4] = ["QINIU_ACCESS_KEY", "QINIU_SECRET_KEY", "IM_ADMIN_TOKEN", "PILI_PUB_KEY"];

const MALFORMED: &str = "`${` begins a reference to an environment variable: write ${NAME} or ${NAME:-default}, \
                         or $${ for the characters themselves";

/// Replaces the references in every scalar under `node`; what cannot be replaced is reported and
/// becomes [`Value::Broken`].
pub(super) fn substitute(node: &mut Node, path: &str, env: &Environment, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::Text(text) => match expand(text, env) {
            Ok(expanded) => *text = expanded,
            Err(reason) => {
                problems.push(Problem::new(node.origin.clone(), path, reason));
                node.value = Value::Broken;
            }
        },
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                substitute(item, &format!("{path}[{index}]"), env, problems);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let separator = if path.is_empty() { "" } else { "." };
                substitute(&mut entry.node, &format!("{path}{separator}{}", entry.key), env, problems);
            }
        }
        Value::Null | Value::Broken => {}
    }
}

fn expand(text: &str, env: &Environment) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let (reference, after) = after.split_once('}').ok_or(MALFORMED)?;
        expanded.push_str(resolve(reference, env)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn resolve<'a>(reference: &'a str, env: &'a Environment) -> Result<&'a str, String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) || default.is_some_and(|text| text.contains("${")) {
        return Err(MALFORMED.to_owned());
    }
    match (env.get(name), default) {
        // As in a shell, `:-` covers the empty variable as well.
        (Some(value), Some(default)) if value.is_empty() => Ok(default),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default),
        (None, None) if MAY_BE_UNSET.contains(&name) => Ok(""),
        (None, None) => Err(format!("the environment variable {name} is not set")),
    }
}
