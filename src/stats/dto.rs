//! Requests and answers of the statistics routes.

use garde::Validate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use store::statistics::Statistic;

/// Counts to add.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct Report {
    /// 1 to 200 of them.
    #[garde(length(min = 1, max = 200), dive)]
    pub data: Vec<ReportedCount>,
}

/// One count. Who did it is the caller, whatever a `user_id` beside it says.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct ReportedCount {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// What it was done to, such as an item; at most 64 characters.
    #[garde(inner(length(chars, max = 64)))]
    pub biz_id: Option<String>,
    /// 2 item, 3 comment, 4 relay, 5 mic; 1, 6 and 7 are ignored.
    #[garde(skip)]
    #[serde(rename = "type", deserialize_with = "kind")]
    pub kind: i64,
    /// 1 to 1000; not looked at where the type is ignored.
    #[garde(custom(count_of(&self.kind)))]
    #[serde(default)]
    pub count: i64,
}

impl ReportedCount {
    /// What is counted; None where the server itself counts.
    #[must_use]
    pub fn statistic(&self) -> Option<Statistic> {
        reported(self.kind)
    }
}

/// What clients report.
fn reported(kind: i64) -> Option<Statistic> {
    match kind {
        2 => Some(Statistic::Item),
        3 => Some(Statistic::Comment),
        4 => Some(Statistic::Relay),
        5 => Some(Statistic::Mic),
        _ => None,
    }
}

/// Checked while it is read, when it still has the name that callers know it by.
fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let kind = i64::deserialize(deserializer)?;
    if (1..=7).contains(&kind) { Ok(kind) } else { Err(D::Error::custom("is not between 1 and 7")) }
}

fn count_of(kind: &i64) -> impl FnOnce(&i64, &()) -> garde::Result {
    let is_counted = reported(*kind).is_some();
    move |count, ()| {
        if is_counted && !(1..=1000).contains(count) {
            return Err(garde::Error::new("is not between 1 and 1000"));
        }
        Ok(())
    }
}

/// What was counted in a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomStatistics {
    /// Always empty: the reference names it and never fills it.
    pub flow: String,
    /// One for each type, in their order.
    pub info: Vec<Figure>,
}

/// What was counted of one type.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figure {
    /// 1 to 7.
    #[serde(rename = "type")]
    #[schema(value_type = i32)]
    pub statistic: Statistic,
    /// `Live`, `Item`, `Comment`, `Relay`, `Mic`, `Like` or `Gift`.
    pub type_description: &'static str,
    /// The sum of all counts.
    pub page_view: i64,
    /// How many users have one.
    pub unique_visitor: i64,
}
