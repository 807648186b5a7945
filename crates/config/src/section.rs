//! Reads one mapping of the document, key by key.
//!
//! A section's `read` function asks for each of its keys with the default. What was asked for is
//! what is known; every other key is an error. Nothing stops at the first error: a value that cannot
//! be used is reported and its default takes its place.

use std::cell::RefCell;

use super::document::{Entry, Node, Value, entry};
use super::parse::{Source, parse};
use super::report::Report;

/// A mapping that is being read. The key of every method is one of this mapping's own.
pub(super) struct Section<'d> {
    report: &'d Report<'d>,
    /// The dotted path; empty at the top.
    path: String,
    entries: &'d [Entry],
    known: RefCell<Vec<&'static str>>,
}

impl<'d> Section<'d> {
    /// Reads the whole document with `read`.
    pub fn read_root<T>(report: &'d Report<'d>, read: impl FnOnce(&Section<'_>) -> T) -> T {
        Self::read_node(report, String::new(), report.root(), read)
    }

    /// Reads `node` with `read`, then reports the keys that `read` did not ask for.
    fn read_node<T>(
        report: &Report<'_>,
        path: String,
        node: &Node,
        read: impl FnOnce(&Section<'_>) -> T,
    ) -> T {
        let parsed;
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null | Value::Broken => &[],
            Value::Text(text) if text.trim().is_empty() => &[],
            _ => {
                parsed = yaml_of_variable(node);
                match parsed.as_ref().map(|node| &node.value) {
                    Some(Value::Map(entries)) => entries.as_slice(),
                    _ => {
                        report.error(&path, "must hold keys and values");
                        &[]
                    }
                }
            }
        };
        let section = Section { report, path, entries, known: RefCell::default() };
        let read = read(&section);
        section.refuse_unknown();
        read
    }

    /// The mapping under `key`; an absent one is read as empty, so that its defaults apply.
    pub fn section<T>(&self, key: &'static str, read: impl FnOnce(&Section<'_>) -> T) -> T {
        self.know(key);
        let absent = Node::null(self.report.root().origin.clone());
        let node = entry(self.entries, key).map_or(&absent, |entry| &entry.node);
        Self::read_node(self.report, self.path_of(key), node, read)
    }

    /// The list of mappings under `key`.
    pub fn sections<T>(&self, key: &'static str, read: impl Fn(&Section<'_>) -> T) -> Vec<T> {
        let Some(node) = self.filled_node(key) else { return Vec::new() };
        let parsed = yaml_of_variable(node);
        let Value::List(items) = &parsed.as_ref().unwrap_or(node).value else {
            self.error(key, "must be a list");
            return Vec::new();
        };
        let path = self.path_of(key);
        let read_item = |(index, item)| Self::read_node(self.report, format!("{path}[{index}]"), item, &read);
        items.iter().enumerate().map(read_item).collect()
    }

    /// A key of the reference that means nothing here.
    pub fn ignored(&self, key: &'static str, reason: &str) {
        if self.filled_node(key).is_some() {
            self.warn(key, format!("is ignored: {reason}"));
        }
    }

    /// Reports an error about `key`.
    pub fn error(&self, key: &str, text: impl Into<String>) {
        self.report.error(&self.path_of(key), text);
    }

    /// Reports an error about one item of the list under `key`.
    pub fn error_of_item(&self, key: &str, index: usize, text: impl Into<String>) {
        self.report.error_of_item(&self.path_of(key), index, text);
    }

    /// Warns about `key`.
    pub fn warn(&self, key: &str, text: impl Into<String>) {
        self.report.warn(&self.path_of(key), text);
    }

    /// Warns of a secret that is known or can be guessed.
    pub fn warn_weak(&self, key: &str, text: impl Into<String>) {
        self.report.warn_weak(&self.path_of(key), text);
    }

    /// As [`Section::warn_weak`], about one item of the list under `key`.
    pub fn warn_weak_item(&self, key: &str, index: usize, text: impl Into<String>) {
        self.report.warn_weak_item(&self.path_of(key), index, text);
    }

    /// The value of `key`, unless it is absent, null or unusable.
    fn node(&self, key: &'static str) -> Option<&Node> {
        self.know(key);
        let node = entry(self.entries, key).map(|entry| &entry.node)?;
        (!matches!(node.value, Value::Null | Value::Broken)).then_some(node)
    }

    /// The value of `key`, when it is more than an empty text.
    pub fn filled_node(&self, key: &'static str) -> Option<&Node> {
        self.node(key).filter(|node| !matches!(&node.value, Value::Text(text) if text.trim().is_empty()))
    }

    /// The text of `key` as it is written.
    pub fn scalar(&self, key: &'static str) -> Option<&str> {
        match &self.node(key)?.value {
            Value::Text(text) => Some(text),
            _ => {
                self.error(key, "must be a single value");
                None
            }
        }
    }

    /// The trimmed text of `key`, when there is any.
    pub fn filled(&self, key: &'static str) -> Option<&str> {
        self.scalar(key).map(str::trim).filter(|text| !text.is_empty())
    }

    fn know(&self, key: &'static str) {
        self.known.borrow_mut().push(key);
        self.report.know(&self.path_of(key));
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn refuse_unknown(&self) {
        let known = self.known.borrow();
        for Entry { key, node } in self.entries {
            if !known.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                let nearest = nearest(key, known.iter().copied()).unwrap_or_default();
                let text = format!("unknown key; the nearest known one is {nearest}");
                self.report.error_at(node.origin.clone(), &self.path_of(key), text);
            }
        }
    }
}

/// A variable's text read as YAML, for the keys that hold more than one value.
pub(super) fn yaml_of_variable(node: &Node) -> Option<Node> {
    match &node.value {
        Value::Text(text) if node.origin.is_variable() => {
            parse(text, &Source::Variable(node.origin.clone())).ok()
        }
        _ => None,
    }
}

/// The word that `text` was most likely meant to be.
pub(super) fn nearest<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let text = text.to_ascii_lowercase();
    let scored = words.map(|word| (strsim::jaro_winkler(&text, word), word));
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, word)| word)
}
