//! The three ways in which new places of items are spelled, and the rules of places.

use std::collections::HashSet;
use std::fmt;

use garde::Validate;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::dto::ItemOrder;
use super::queries::Place;

/// New places, from an array of `{"item_id", "order"}`, a map `{"item_id": order}`, or the text
/// `{item_id=order, item_id=order}`, which is what the Android SDK makes of a map.
#[derive(Debug, Validate)]
#[garde(transparent)]
pub struct Orders(#[garde(length(min = 1, max = 200), dive)] pub Vec<ItemOrder>);

impl<'de> Deserialize<'de> for Orders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrdersVisitor).map(Orders)
    }
}

struct OrdersVisitor;

impl<'de> Visitor<'de> for OrdersVisitor {
    type Value = Vec<ItemOrder>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of item_id and order, a map, or the text `{item_id=order, item_id=order}`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut orders = Vec::new();
        while let Some(order) = list.next_element()? {
            orders.push(order);
        }
        Ok(orders)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut orders = Vec::new();
        while let Some((item_id, order)) = map.next_entry()? {
            orders.push(ItemOrder { item_id, order });
        }
        Ok(orders)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// Reads `{item_id=order, item_id=order}`. An id may itself hold `=` or `, `: an entry ends at the
/// first number after a `=` that is followed by `, ` or the end.
fn parse(text: &str) -> Option<Vec<ItemOrder>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut orders = Vec::new();
    while !rest.is_empty() {
        let (order, after) = rest.match_indices('=').find_map(|(at, _)| entry(rest, at))?;
        orders.push(order);
        rest = after;
    }
    Some(orders)
}

/// The entry whose `=` is at `at`, and what comes after it; None when no order follows.
fn entry(text: &str, at: usize) -> Option<(ItemOrder, &str)> {
    let (item_id, tail) = text.split_at_checked(at)?;
    let tail = tail.strip_prefix('=')?;
    let (number, after) = tail.split_once(", ").unwrap_or((tail, ""));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let order = number.parse().ok().filter(|_| is_number)?;
    Some((ItemOrder { item_id: item_id.to_owned(), order }, after))
}

/// The changes that give items their new places: pairs of row and order. Items that the room does
/// not have are passed over.
///
/// # Errors
/// Says which item or order is there twice.
pub fn replaced(places: &[Place], orders: &[ItemOrder]) -> Result<Vec<(u32, u32)>, String> {
    let (mut items, mut taken) = (HashSet::new(), HashSet::new());
    for order in orders {
        if !items.insert(order.item_id.as_str()) {
            return Err(format!("items: item {} is there twice", order.item_id));
        }
        if !taken.insert(order.order) {
            return Err(format!("items: order {} is there twice", order.order));
        }
    }
    let staying = places.iter().filter(|place| !items.contains(place.item_id.as_str()));
    if let Some(place) = staying.into_iter().find(|place| taken.contains(&place.order)) {
        return Err(format!("items: order {} is that of item {}", place.order, place.item_id));
    }
    let row = |order: &ItemOrder| {
        let place = places.iter().find(|place| place.item_id == order.item_id);
        place.map(|place| (place.row_id, order.order))
    };
    Ok(orders.iter().filter_map(row).collect())
}

/// The changes that move one item and shift those between by one.
///
/// # Errors
/// Says what does not fit.
pub fn moved(places: &[Place], item: &Place, from: u32, to: u32) -> Result<Vec<(u32, u32)>, String> {
    if from == to {
        return Err("to: is the same as from".to_owned());
    }
    if item.order != from {
        return Err(format!("from: the item's order is {}", item.order));
    }
    let between = from.min(to)..=from.max(to);
    let shifted = |place: &Place| match place.order {
        _ if place.row_id == item.row_id => to,
        order if from > to => order.saturating_add(1),
        order => order.saturating_sub(1),
    };
    let affected = places.iter().filter(|place| between.contains(&place.order));
    Ok(affected.map(|place| (place.row_id, shifted(place))).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Option<Vec<(String, u32)>> {
        parse(text).map(|orders| orders.into_iter().map(|order| (order.item_id, order.order)).collect())
    }

    fn owned(list: &[(&str, u32)]) -> Option<Vec<(String, u32)>> {
        Some(list.iter().map(|(id, order)| ((*id).to_owned(), *order)).collect())
    }

    #[test]
    fn the_text_of_a_java_map_is_read() {
        assert_eq!(pairs("{a=1, b=22}"), owned(&[("a", 1), ("b", 22)]));
        assert_eq!(pairs(" {a=1} "), owned(&[("a", 1)]));
        assert_eq!(pairs("{李=3, a b=4}"), owned(&[("李", 3), ("a b", 4)]));
        assert_eq!(pairs("{}"), Some(Vec::new()));
    }

    #[test]
    fn ids_may_hold_what_separates_entries() {
        assert_eq!(pairs("{a=b=1, c, d=2}"), owned(&[("a=b", 1), ("c, d", 2)]));
        assert_eq!(pairs("{x=1,y=2}"), owned(&[("x=1,y", 2)]));
        assert_eq!(pairs("{}=1}"), owned(&[("}", 1)]));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "a=1",
            "{a=1",
            "a=1}",
            "{a}",
            "{a=}",
            "{a=x}",
            "{a=-1}",
            "{a=+1}",
            "{a=1, b}",
            "{a=99999999999}",
        ] {
            assert_eq!(pairs(text), None, "{text}");
        }
    }
}
