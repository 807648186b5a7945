//! What can be told of callbacks from their ids and the order in which they came.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use crate::figures::{quotient, real};
use crate::peers::Arrival;

/// The id of an event's callback, for rooms whose ids need no escaping (`src/callback/body.rs`).
pub fn webhook_id(live_id: &str, seq: u64) -> String {
    format!("evt_{live_id}_{seq}")
}

/// Room and number of an event, from the id of its callback.
fn event_of(webhook_id: &str) -> Option<(&str, u64)> {
    let (live_id, seq) = webhook_id.strip_prefix("evt_")?.rsplit_once('_')?;
    Some((live_id, seq.parse().ok()?))
}

/// Callbacks that came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivered {
    /// How many different ones.
    pub different: usize,
    /// Arrivals of one that had come before.
    pub repeated: u64,
    /// First arrivals before which a later one of the same room had come.
    pub out_of_order: u64,
    /// When the first came.
    pub first: Option<Instant>,
    /// How many came per second after the first, until the last.
    pub per_s: f64,
}

impl Delivered {
    /// Looks at those `arrivals`, in their order, whose rooms' ids start with `prefix`.
    pub fn of(arrivals: &[Arrival], prefix: &str) -> Self {
        let mut delivered = Self::default();
        let mut seen: HashSet<(&str, u64)> = HashSet::with_capacity(arrivals.len());
        let mut reached: HashMap<&str, u64> = HashMap::new();
        let mut last = None;
        for arrival in arrivals {
            let Some((room, seq)) = event_of(&arrival.webhook_id) else { continue };
            if !room.starts_with(prefix) {
                continue;
            }
            if !seen.insert((room, seq)) {
                delivered.repeated += 1;
                continue;
            }
            let reached = reached.entry(room).or_default();
            delivered.out_of_order += u64::from(seq < *reached);
            *reached = seq.max(*reached);
            delivered.first.get_or_insert(arrival.at);
            last = Some(arrival.at);
        }
        delivered.different = seen.len();
        if let (Some(first), Some(last)) = (delivered.first, last) {
            let after_first = u64::try_from(seen.len().saturating_sub(1)).unwrap_or(u64::MAX);
            delivered.per_s = quotient(real(after_first), last.duration_since(first).as_secs_f64());
        }
        delivered
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn came(ids: &[&str]) -> Vec<Arrival> {
        let begin = Instant::now();
        let at = |number: usize| begin + Duration::from_millis(500) * u32::try_from(number).unwrap();
        let arrival = |(number, id): (usize, &&str)| Arrival { webhook_id: (*id).to_owned(), at: at(number) };
        ids.iter().enumerate().map(arrival).collect()
    }

    #[test]
    fn an_id_names_its_event() {
        assert_eq!(event_of(&webhook_id("a_b", 12)), Some(("a_b", 12)));
        assert_eq!(event_of("msg_1"), None);
    }

    #[test]
    fn the_rate_is_that_between_the_first_and_the_last() {
        let delivered = Delivered::of(&came(&["evt_x_1", "evt_a-1_1", "evt_a-1_2", "evt_a-2_1"]), "a-");
        assert_eq!((delivered.different, delivered.repeated, delivered.out_of_order), (3, 0, 0));
        assert!((delivered.per_s - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_repeated_one_is_not_out_of_order() {
        let delivered = Delivered::of(&came(&["evt_a_1", "evt_a_2", "evt_a_1", "evt_b_1"]), "");
        assert_eq!((delivered.different, delivered.repeated, delivered.out_of_order), (3, 1, 0));
    }

    #[test]
    fn one_that_was_overtaken_is_out_of_order() {
        let delivered = Delivered::of(&came(&["evt_a_1", "evt_a_3", "evt_a_2", "evt_a_4"]), "");
        assert_eq!((delivered.different, delivered.repeated, delivered.out_of_order), (4, 0, 1));
    }
}
