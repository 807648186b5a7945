//! Table `gift_config`: gifts that can be given.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_config")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// Which gift.
    pub gift_id: i32,
    /// Kind of gift.
    #[sea_orm(column_name = "type")]
    pub kind: i32,
    /// Name.
    pub name: String,
    /// Price; 0 when the giver chooses.
    pub amount: i32,
    /// Picture.
    pub img: String,
    /// Kind of animation.
    pub animation_type: i32,
    /// Picture of the animation.
    pub animation_img: String,
    /// Place in the list, ascending.
    pub order: i32,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
    /// When the row was deleted; NULL while it counts.
    pub deleted_at: Option<WallTime>,
    /// JSON object of texts.
    pub extends: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
