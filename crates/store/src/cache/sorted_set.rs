//! The part of Redis' sorted sets that presence in memory needs: names ordered by a time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Names with a time each, in milliseconds since the epoch; ordered by time, then by name.
#[derive(Debug, Default)]
pub(super) struct SortedSet {
    times: HashMap<Arc<str>, i64>,
    order: BTreeSet<(i64, Arc<str>)>,
}

impl SortedSet {
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.times.contains_key(name)
    }

    /// Sets the time of `name`; whether it is new.
    pub(super) fn put(&mut self, name: &str, time: i64) -> bool {
        if let Some((name, former)) = self.times.get_key_value(name) {
            let (name, former) = (name.clone(), *former);
            self.order.remove(&(former, name.clone()));
            self.order.insert((time, name.clone()));
            self.times.insert(name, time);
            return false;
        }
        let name: Arc<str> = name.into();
        self.times.insert(name.clone(), time);
        self.order.insert((time, name));
        true
    }

    /// Sets the time of `name` if it is there; whether it is.
    pub(super) fn update(&mut self, name: &str, time: i64) -> bool {
        self.contains(name) && !self.put(name, time)
    }

    /// Removes `name`; whether it was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        match self.times.remove_entry(name) {
            Some((name, time)) => self.order.remove(&(time, name)),
            None => false,
        }
    }

    /// Removes at most `limit` names whose time is at or before `until`, the oldest first.
    pub(super) fn take_until(&mut self, until: i64, limit: usize) -> Vec<(Arc<str>, i64)> {
        let mut taken = Vec::new();
        while taken.len() < limit && self.order.first().is_some_and(|(time, _)| *time <= until) {
            if let Some((time, name)) = self.order.pop_first() {
                self.times.remove(&name);
                taken.push((name, time));
            }
        }
        taken
    }

    /// At most `limit` names whose time is at or before `until`, the oldest first.
    pub(super) fn until(&self, until: i64, limit: usize) -> impl Iterator<Item = &str> {
        self.order.iter().take_while(move |(time, _)| *time <= until).take(limit).map(|(_, name)| &**name)
    }

    /// The names with times after `after` and before `before`, ascending: `limit` of them, and
    /// those that share the time of the last.
    pub(super) fn between(&self, after: i64, before: i64, limit: usize) -> Vec<(Arc<str>, i64)> {
        let mut found: Vec<(Arc<str>, i64)> = Vec::new();
        if limit == 0 || after >= before {
            return found;
        }
        for (time, name) in self.order.range((after.saturating_add(1), Arc::from(""))..) {
            let full = found.len() >= limit && found.last().is_some_and(|(_, last)| last != time);
            if full || *time >= before {
                break;
            }
            found.push((name.clone(), *time));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: Vec<(Arc<str>, i64)>) -> Vec<String> {
        found.iter().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn takes_the_oldest_first_up_to_the_limit() {
        let mut set = SortedSet::default();
        assert!(set.put("c", 5));
        assert!(set.put("b", 5));
        assert!(set.put("a", 9));
        assert!(!set.put("c", 7));
        assert_eq!(set.until(8, 1).collect::<Vec<_>>(), ["b"]);
        assert_eq!(set.until(8, 9).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(names(set.take_until(9, 2)), ["b", "c"]);
        assert_eq!(names(set.take_until(8, 2)), Vec::<String>::new());
        assert!(set.contains("a") && !set.contains("b"));
        assert!(set.remove("a") && !set.remove("a"));
        assert!(!set.update("a", 1) && !set.contains("a"));
    }

    #[test]
    fn a_page_is_completed_with_those_of_its_last_time() {
        let mut set = SortedSet::default();
        for (name, time) in [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 3)] {
            set.put(name, time);
        }
        let page: Vec<_> = set.between(0, 9, 2).into_iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(page, ["a", "b", "c", "d"]);
        assert_eq!(set.between(2, 3, 5), []);
        assert_eq!(set.between(2, 4, 5).len(), 1);
    }
}
