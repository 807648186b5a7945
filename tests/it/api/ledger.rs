//! The record of what was asked and how it was answered.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// Every (method, path, status) that the suite has seen, shared by all cases of a target.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Mutex<BTreeSet<Entry>>,
}

/// One answer: the method, the path as routing sees it (without query, repeated slashes and a slash at
/// the end) and the HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub method: String,
    pub path: String,
    pub status: u16,
}

impl Ledger {
    /// Notes one answer to `method` on `target` (a path with or without a query).
    pub fn note(&self, method: &str, target: &str, status: u16) {
        let entry = Entry { method: method.to_owned(), path: routed(target), status };
        self.entries.lock().unwrap().insert(entry);
    }

    /// All that was noted so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().iter().cloned().collect()
    }
}

fn routed(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    format!("/{}", segments.join("/"))
}
