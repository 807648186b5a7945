//! Lists of rooms or members, taken apart by shard and put together again.

use std::collections::BTreeMap;

use super::CacheError;
use super::presence;

/// What belongs to each shard, with its place in the list.
pub(super) type ByShard<'a, T> = BTreeMap<u16, Vec<(usize, &'a T)>>;

/// Groups a list by the shards of its rooms.
pub(super) fn by_shard<'a, T>(items: &'a [T], live_id: impl Fn(&'a T) -> &'a str) -> ByShard<'a, T> {
    let mut shards = ByShard::new();
    for (place, item) in items.iter().enumerate() {
        shards.entry(presence::shard_of(live_id(item))).or_default().push((place, item));
    }
    shards
}

/// Puts the answers of all shards, a list each, in the order of the list that was grouped.
pub(super) fn in_order<T, A>(
    count: usize,
    shards: &ByShard<'_, T>,
    answers: Vec<Vec<A>>,
) -> Result<Vec<A>, CacheError> {
    let places = shards.values().flatten().map(|(place, _)| *place);
    let mut all: Vec<(usize, A)> = places.zip(answers.into_iter().flatten()).collect();
    if all.len() != count {
        return Err(CacheError::Unexpected("too few answers".into()));
    }
    all.sort_unstable_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, answer)| answer).collect())
}
