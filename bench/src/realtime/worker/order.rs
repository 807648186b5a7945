//! Whether one subscriber gets every message of a channel once and in order, by the offsets.

use serde::{Deserialize, Serialize};

/// What one subscriber has got.
#[derive(Clone, Debug, Default)]
pub struct Order {
    last: u64,
    /// Ranges of offsets that were left out, both ends included, rising.
    missing: Vec<(u64, u64)>,
    repeated: u64,
    late: u64,
}

/// What went wrong with the order, over some subscribers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaws {
    /// Messages that never came.
    pub lost: u64,
    /// Messages that came again.
    pub repeated: u64,
    /// Messages that came after a later one.
    pub late: u64,
}

impl Order {
    /// The subscription begins behind this offset.
    pub fn begin(&mut self, offset: u64) {
        *self = Self { last: offset, ..Self::default() };
    }

    /// The highest offset so far.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// A message has come.
    pub fn take(&mut self, offset: u64) {
        if offset == self.last + 1 {
            self.last = offset;
        } else if offset > self.last {
            self.missing.push((self.last + 1, offset - 1));
            self.last = offset;
        } else if self.fill(offset) {
            self.late += 1;
        } else {
            self.repeated += 1;
        }
    }

    /// Takes an offset out of the missing ones; false when it is none of them.
    fn fill(&mut self, offset: u64) -> bool {
        let Some(at) = self.missing.iter().position(|&(first, last)| (first..=last).contains(&offset)) else {
            return false;
        };
        let (first, last) = self.missing.remove(at);
        if offset < last {
            self.missing.insert(at, (offset + 1, last));
        }
        if first < offset {
            self.missing.insert(at, (first, offset - 1));
        }
        true
    }

    /// What went wrong when `top` is the channel's last offset.
    pub fn flaws(&self, top: u64) -> Flaws {
        let left_out: u64 = self.missing.iter().map(|(first, last)| last - first + 1).sum();
        let lost = left_out + top.saturating_sub(self.last);
        Flaws { lost, repeated: self.repeated, late: self.late }
    }
}

impl Flaws {
    /// Adds those of others.
    pub fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.late += other.late;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(offsets: &[u64], top: u64) -> (u64, u64, u64) {
        let mut order = Order::default();
        order.begin(10);
        offsets.iter().for_each(|offset| order.take(*offset));
        let Flaws { lost, repeated, late } = order.flaws(top);
        (lost, repeated, late)
    }

    #[test]
    fn what_comes_once_and_in_order_has_no_flaws() {
        assert_eq!(flaws(&[11, 12, 13], 13), (0, 0, 0));
        assert_eq!(flaws(&[], 10), (0, 0, 0));
    }

    #[test]
    fn what_is_left_out_is_lost() {
        assert_eq!(flaws(&[12, 15], 15), (3, 0, 0));
    }

    #[test]
    fn what_is_missing_at_the_end_is_lost() {
        assert_eq!(flaws(&[11], 14), (3, 0, 0));
    }

    #[test]
    fn what_comes_again_is_repeated() {
        assert_eq!(flaws(&[11, 11, 12, 11, 9], 12), (0, 3, 0));
    }

    #[test]
    fn what_comes_after_a_later_one_is_late_and_not_lost() {
        assert_eq!(flaws(&[15, 13, 11, 14, 12], 15), (0, 0, 4));
        assert_eq!(flaws(&[15, 13, 13], 15), (3, 1, 1));
    }
}
