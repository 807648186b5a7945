//! A configuration document as a tree whose every value knows where it was written.

use super::problem::Origin;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub origin: Origin,
}

/// What YAML can hold. Scalars stay text: the key that they belong to decides their type, so that a
/// password of digits keeps its leading zeros and a quoted number is a number.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Could not be made out, and has been reported.
    Broken,
}

/// A key of a mapping and its value, whose origin is the key's.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub node: Node,
}

/// The entry of `key`. Keys are compared as viper does: whatever their case.
pub(super) fn entry<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))
}

impl Node {
    /// A node without content.
    pub fn null(origin: Origin) -> Self {
        Self { value: Value::Null, origin }
    }

    /// The value of `key`, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entry(entries, key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The nodes along a dotted path such as `mysql.databases[0].host`: the deepest that exists, and
    /// whether that is the end of the path.
    pub fn find(&self, path: &str) -> (&Node, bool) {
        let mut node = self;
        for step in path.split(['.', '[']) {
            let next = match step.strip_suffix(']') {
                Some(index) => node.item(index),
                None => node.get(step),
            };
            match next {
                Some(next) => node = next,
                None => return (node, false),
            }
        }
        (node, true)
    }

    fn item(&self, index: &str) -> Option<&Node> {
        match &self.value {
            Value::List(items) => items.get(index.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Puts `other` over this node: mappings key by key, anything else replaces.
    pub fn merge(&mut self, other: Node) {
        match (&mut self.value, other.value) {
            (Value::Map(mine), Value::Map(theirs)) => {
                for entry in theirs {
                    match mine.iter_mut().find(|mine| mine.key.eq_ignore_ascii_case(&entry.key)) {
                        Some(mine) => mine.node.merge(entry.node),
                        None => mine.push(entry),
                    }
                }
            }
            // An empty second file says nothing; a null key in it takes the first file's value away.
            (mine, theirs) => {
                *mine = theirs;
                self.origin = other.origin;
            }
        }
    }
}
