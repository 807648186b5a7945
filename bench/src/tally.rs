//! What was counted of a subject, and the figures per request.

use std::collections::BTreeMap;

use crate::figures::{quotient, real, round};
use crate::probe::attribute::{Attributed, Shapes};
use crate::probe::cache::CacheCount;
use crate::report::Counted;
use crate::routes::{By, Limits};

/// Statements and round trips, per second or per request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// SQL statements.
    pub sql: f64,
    /// Cache round trips.
    pub trips: f64,
}

/// What was counted of one subject so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    parts: Vec<Cost>,
    requests: usize,
    sql_kinds: BTreeMap<String, u64>,
    commands: BTreeMap<String, u64>,
    attributed: Attributed,
    /// The statements of one request.
    pub statements: Vec<String>,
}

/// What is counted under which name.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is done.
    pub shown: &'a str,
    /// Its limits.
    pub limits: Limits,
    /// How its statements are counted.
    pub by: By,
}

impl Tally {
    /// Adds a part: `sent` requests, what one of them cost, and all that was seen.
    pub fn add(
        &mut self,
        sent: usize,
        cost: Cost,
        kinds: impl IntoIterator<Item = (String, u64)>,
        cache: &CacheCount,
    ) {
        self.parts.push(cost);
        self.requests += sent;
        add_all(&mut self.sql_kinds, kinds);
        add_all(&mut self.commands, cache.commands.clone());
    }

    /// Adds statements that were logged during parts.
    pub fn add_logged(&mut self, attributed: Attributed) {
        add_all(&mut self.sql_kinds, attributed.kinds());
        add_all(&mut self.attributed.own, attributed.own);
        add_all(&mut self.attributed.left_out, attributed.left_out);
    }

    /// The figures per request.
    pub fn counted(self, subject: Subject<'_>) -> Counted {
        let cost = median(&self.parts);
        let requests = whole(self.requests);
        let each = |(name, total): (String, u64)| (name, round(quotient(real(total), requests), 3));
        Counted {
            name: subject.name.to_owned(),
            shown: subject.shown.to_owned(),
            requests: u64::try_from(self.requests).unwrap_or(u64::MAX),
            sql: round(cost.sql, 3),
            trips: round(cost.trips, 3),
            sql_limit: subject.limits.sql,
            trips_limit: subject.limits.trips,
            sql_kinds: self.sql_kinds.into_iter().map(each).collect(),
            statements: self.statements,
            commands: self.commands.into_iter().map(each).collect(),
            own: self.attributed.own.into_iter().map(each).collect(),
            left_out: self.attributed.left_out.into_iter().map(each).collect(),
        }
    }
}

fn add_all(sums: &mut Shapes, further: impl IntoIterator<Item = (String, u64)>) {
    for (name, total) in further {
        *sums.entry(name).or_default() += total;
    }
}

/// A number of requests as a real number.
pub fn whole(count: usize) -> f64 {
    real(u64::try_from(count).unwrap_or(u64::MAX))
}

/// The median of each figure: a burst of a background job falls into one part of several.
pub fn median(costs: &[Cost]) -> Cost {
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_unstable_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    Cost { sql: middle(|cost| cost.sql), trips: middle(|cost| cost.trips) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_in_one_part_does_not_count() {
        let cost = |sql, trips| Cost { sql, trips };
        let parts = [cost(1.0, 1.0), cost(1.9, 1.0), cost(1.0, 1.6), cost(1.0, 1.0), cost(1.0, 1.0)];
        assert_eq!(median(&parts), cost(1.0, 1.0));
        assert_eq!(median(&[]), Cost::default());
    }
}
