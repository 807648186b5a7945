//! What came of many tries.

use std::collections::BTreeMap;
use std::fmt;

/// How often what came of it.
#[derive(Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// One more of these.
    pub fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// The sum of several.
    pub fn sum(tallies: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for (what, count) in tallies.into_iter().flat_map(|tally| tally.0) {
            *sum.0.entry(what).or_default() += count;
        }
        sum
    }

    /// Something came of it, and nothing else than these.
    #[track_caller]
    pub fn assert_only(&self, expected: &[&str]) {
        assert!(!self.0.is_empty(), "nothing was tried");
        let others: Vec<_> = self.0.iter().filter(|(what, _)| !expected.contains(&what.as_str())).collect();
        assert!(others.is_empty(), "{others:?}, of {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().map(|(what, count)| format!("{what} {count}"));
        f.write_str(&counts.collect::<Vec<_>>().join(", "))
    }
}
