//! Table `censor_config`: settings of the content review; one row.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "censor_config")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: u32,
    /// Whether lives are reviewed.
    pub enable: Option<bool>,
    /// Seconds between two pictures.
    pub interval: Option<i32>,
    /// Look for pornography.
    pub pulp: Option<bool>,
    /// Look for violence.
    pub terror: Option<bool>,
    /// Look for politicians.
    pub politician: Option<bool>,
    /// Look for advertisements.
    pub ads: Option<bool>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
