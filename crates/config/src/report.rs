//! Collects what is found while a document is read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::document::{Node, Value};
use super::problem::{Origin, Problem};

/// The document being read, and the remarks about it so far.
pub(super) struct Report<'d> {
    root: &'d Node,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    known: RefCell<BTreeSet<String>>,
}

impl<'d> Report<'d> {
    /// A report about `root`, of which `problems` are known already.
    pub fn new(root: &'d Node, problems: Vec<Problem>) -> Self {
        Self {
            root,
            problems: RefCell::new(problems),
            warnings: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// The document.
    pub fn root(&self) -> &'d Node {
        self.root
    }

    /// Whether the document gives `path` a value (if only an unusable one).
    pub fn is_given(&self, path: &str) -> bool {
        self.root.find(path).1
    }

    /// Reports an error at `path`. One error per key: what follows from the first is not repeated,
    /// nor what follows from a section that could not be made out.
    pub fn error(&self, path: &str, text: impl Into<String>) {
        let (nearest, _) = self.root.find(path);
        if !matches!(nearest.value, Value::Broken) {
            self.error_at(nearest.origin.clone(), path, text);
        }
    }

    /// Reports an error about a key that is at `origin`.
    pub fn error_at(&self, origin: Origin, path: &str, text: impl Into<String>) {
        let mut problems = self.problems.borrow_mut();
        if !problems.iter().any(|problem| problem.key() == path) {
            problems.push(Problem::new(origin, path, text));
        }
    }

    /// Reports an error about one item of the list at `path`, beside those about others.
    pub fn error_of_item(&self, path: &str, index: usize, text: impl Into<String>) {
        let (nearest, _) = self.root.find(&format!("{path}[{index}]"));
        let problem = Problem::new(nearest.origin.clone(), path, text);
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Reports something that is allowed but probably not meant.
    pub fn warn(&self, path: &str, text: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem::new(self.origin(path), path, text));
    }

    /// Reports a secret that is known or can be guessed. One warning per key, the last.
    pub fn warn_weak(&self, path: &str, text: impl Into<String>) {
        let mut warnings = self.warnings.borrow_mut();
        warnings.retain(|warning| !warning.is_weak_secret() || warning.key() != path);
        warnings.push(Problem::new(self.origin(path), path, text).of_weak_secret());
    }

    /// As [`Report::warn_weak`], about one item of the list at `path`.
    pub fn warn_weak_item(&self, path: &str, index: usize, text: impl Into<String>) {
        let origin = self.origin(&format!("{path}[{index}]"));
        self.warnings.borrow_mut().push(Problem::new(origin, path, text).of_weak_secret());
    }

    /// Whether the value of `path` was written by somebody, and is not one of embedded mode's own.
    pub fn is_written(&self, path: &str) -> bool {
        let (node, is_given) = self.root.find(path);
        is_given && !node.origin.is_built_in()
    }

    /// Notes that `path` is a key that is read.
    pub fn know(&self, path: &str) {
        let without_indices = path.split(']').map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()));
        self.known.borrow_mut().insert(without_indices.collect::<Vec<_>>().join("]"));
    }

    /// The errors, the warnings, and the keys that were read (list items as `databases[].host`).
    pub fn finish(self) -> (Vec<Problem>, Vec<Problem>, BTreeSet<String>) {
        (self.problems.into_inner(), self.warnings.into_inner(), self.known.into_inner())
    }

    /// Where `path` is written, or where it would have to be: the section's place.
    fn origin(&self, path: &str) -> Origin {
        self.root.find(path).0.origin.clone()
    }
}
