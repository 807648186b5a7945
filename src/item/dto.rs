//! Requests of the item routes.

use std::fmt;

use garde::Validate;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::order::Orders;
use common::text::{self, Extends};

/// Items to put on sale.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct AddItems {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// 1 to 200; a room holds 100.
    #[garde(length(min = 1, max = 200), dive)]
    pub items: Vec<NewItem>,
}

/// An item to put on sale; its place is after those that are there.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct NewItem {
    /// The business's own id, 1 to 64 characters, none of them a control character.
    #[garde(custom(addressable))]
    pub item_id: String,
    /// 1 to 64 characters, none of them a control character, and one to see.
    #[garde(length(chars, min = 1, max = 64), custom(text::shown))]
    pub title: String,
    /// Separated by commas, at most 128 characters.
    #[garde(inner(length(chars, max = 128)))]
    pub tags: Option<String>,
    /// URL of at most 255 characters.
    #[garde(inner(length(chars, max = 255), custom(text::web_address)))]
    pub thumbnail: Option<String>,
    /// URL of at most 255 characters.
    #[garde(inner(length(chars, max = 255)))]
    pub link: Option<String>,
    /// As it is shown, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub current_price: String,
    /// As it is shown, at most 64 characters.
    #[garde(inner(length(chars, max = 64)))]
    pub origin_price: Option<String>,
    /// 0 hidden (default), 1 on sale, 2 shown, not for sale.
    #[garde(inner(range(max = 2)))]
    pub status: Option<u32>,
    /// At most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// A change of an item; what is absent or empty is left alone.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
pub struct UpdateItem {
    /// At most 64 characters, none of them a control character, and one to see.
    #[garde(inner(length(chars, max = 64), custom(text::shown)))]
    pub title: Option<String>,
    /// At most 128 characters.
    #[garde(inner(length(chars, max = 128)))]
    pub tags: Option<String>,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255), custom(text::web_address)))]
    pub thumbnail: Option<String>,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255)))]
    pub link: Option<String>,
    /// At most 64 characters.
    #[garde(inner(length(chars, max = 64)))]
    pub current_price: Option<String>,
    /// At most 64 characters.
    #[garde(inner(length(chars, max = 64)))]
    pub origin_price: Option<String>,
    /// 0 hidden, 1 on sale, 2 shown, not for sale.
    #[garde(inner(range(max = 2)))]
    pub status: Option<u32>,
    /// Merged key by key; at most 1024 bytes as JSON when merged.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// Keys to set in the map of an item: the map itself.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
#[schema(value_type = std::collections::HashMap<String, String>)]
pub struct MergeExtends(#[garde(custom(fitting))] pub Extends);

/// One key to set in the map of an item, as the Android SDK posts it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct KeyValue {
    /// 1 to 1024 bytes.
    #[garde(length(bytes, min = 1, max = 1024))]
    pub key: String,
    /// At most 1024 bytes.
    #[garde(length(bytes, max = 1024))]
    pub value: String,
}

/// Items to take out of a room.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct DeleteItems {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// 1 to 200 ids of items.
    #[garde(length(min = 1, max = 200), inner(length(chars, min = 1, max = 64)))]
    pub items: Vec<String>,
}

/// New states of items.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct SetStatuses {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// 1 to 200.
    #[garde(length(min = 1, max = 200), dive)]
    pub items: Vec<ItemStatus>,
}

/// The new state of an item.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct ItemStatus {
    /// The item.
    #[garde(length(chars, min = 1, max = 64))]
    pub item_id: String,
    /// 0 hidden, 1 on sale, 2 shown, not for sale.
    #[garde(range(max = 2))]
    pub status: u32,
}

/// New places of items.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct SetOrders {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// 1 to 200 entries; also as a map `{"item_id": order}`, or as the text
    /// `{item_id=order, item_id=order}`.
    #[garde(dive)]
    #[schema(value_type = Vec<ItemOrder>)]
    pub items: Orders,
}

/// The new place of an item.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate, ToSchema)]
pub struct ItemOrder {
    /// The item.
    #[garde(length(chars, min = 1, max = 64))]
    pub item_id: String,
    /// 1 to 2147483647, and no other item's; higher ones are shown first.
    #[garde(range(min = 1, max = MAX_ORDER))]
    pub order: u32,
}

/// The highest order that may be asked for: what the SDKs' integers hold, and so far below the width
/// of the column that items can always be appended.
pub const MAX_ORDER: u32 = 2_147_483_647;

/// An item to move; those between shift by one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct MoveItem {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// The item.
    #[garde(length(chars, min = 1, max = 64))]
    pub item_id: String,
    /// Its present order.
    #[garde(range(min = 1, max = MAX_ORDER))]
    pub from: u32,
    /// Its new order, another one.
    #[garde(range(min = 1, max = MAX_ORDER))]
    pub to: u32,
}

/// Recordings to delete.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct DeleteRecords {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// 1 to 200 ids of recordings.
    #[garde(length(min = 1, max = 200))]
    #[schema(value_type = Vec<u32>)]
    pub demonstrate_item: Vec<RecordId>,
}

/// Which recordings could not be deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedRecords {
    /// The room.
    pub live_id: String,
    /// Those that the room does not have, or that are being recorded; left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failure_demon_items: Vec<u64>,
}

/// The id of a recording: a number, or that number as text, which is how the iOS SDK keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordId(pub u64);

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;

        impl Visitor<'_> for IdVisitor {
            type Value = RecordId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a recording")
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<RecordId, E> {
                Ok(RecordId(id))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RecordId, E> {
                let id = text.parse().map(RecordId);
                id.map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(IdVisitor)
    }
}

/// An id that can also be spelled in a path.
fn addressable(id: &str, _: &()) -> garde::Result {
    let chars = id.chars().count();
    let wrong = match chars {
        0 => "must not be empty",
        65.. => "has more than 64 characters",
        _ if id.chars().any(char::is_control) => "has a control character",
        _ => return Ok(()),
    };
    Err(garde::Error::new(wrong))
}

fn fitting(map: &Extends, _: &()) -> garde::Result {
    text::check_extends(map).map_err(garde::Error::new)
}
