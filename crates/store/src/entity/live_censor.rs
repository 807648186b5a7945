//! Table `live_censor`: review jobs of rooms.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_censor")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// The review service's id of the job.
    pub job_id: Option<String>,
    /// Looks for pornography.
    pub pulp: Option<bool>,
    /// Looks for violence.
    pub terror: Option<bool>,
    /// Looks for politicians.
    pub politician: Option<bool>,
    /// Looks for advertisements.
    pub ads: Option<bool>,
    /// Seconds between two pictures.
    pub interval: Option<i32>,
    /// How far the job is; NULL in rows of QNLiveKit_Server.
    pub state: Option<i32>,
    /// When the review service was asked for it.
    pub asked_at: Option<WallTime>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
