//! Table `items`: goods on sale in a room.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "items")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
    /// When the row was deleted; NULL while it counts.
    pub deleted_at: Option<WallTime>,
    /// The room.
    pub live_id: Option<String>,
    /// The business's id of the item.
    pub item_id: Option<String>,
    /// Place in the list.
    pub order: Option<u32>,
    /// Title.
    pub title: Option<String>,
    /// Tags, separated by commas.
    pub tags: Option<String>,
    /// Picture.
    pub thumbnail: Option<String>,
    /// Where it is sold.
    pub link: Option<String>,
    /// Price now, as text.
    pub current_price: Option<String>,
    /// Price before, as text.
    pub origin_price: Option<String>,
    /// Whether it is shown and on sale.
    pub status: Option<u32>,
    /// The recording of its demonstration.
    pub record_id: Option<u32>,
    /// JSON object of texts.
    pub extends: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
