//! The environment's part of a configuration: `LIVELOOM__SECTION__KEY=value`.

use super::document::{Entry, Node, Value};
use super::problem::{Origin, Problem};
use super::substitute::Environment;

/// What the names of the variables begin with.
pub(super) const PREFIX: &str = "LIVELOOM__";

/// The variables of `env` that are configuration, as a tree to be merged over the files.
pub(super) fn document(env: &Environment, problems: &mut Vec<Problem>) -> Node {
    let mut root = Node { value: Value::Map(Vec::new()), origin: Origin::variable("environment") };
    for (name, value) in env {
        if let Some(path) = name.strip_prefix(PREFIX) {
            let path = path.to_ascii_lowercase();
            if path.split("__").any(str::is_empty) {
                problems.push(Problem::new(
                    Origin::variable(name),
                    "",
                    "is not of the form LIVELOOM__SECTION__KEY",
                ));
                continue;
            }
            root.merge(branch(&path, name, value));
        }
    }
    root
}

/// The tree that holds nothing but one variable's value. It stays text; a key that wants a list or a
/// mapping reads the text as YAML.
fn branch(path: &str, name: &str, value: &str) -> Node {
    let origin = Origin::variable(name);
    let leaf = Node { value: Value::Text(value.to_owned()), origin: origin.clone() };
    path.rsplit("__").fold(leaf, |node, key| {
        let entry = Entry { key: key.to_owned(), node };
        Node { value: Value::Map(vec![entry]), origin: origin.clone() }
    })
}
