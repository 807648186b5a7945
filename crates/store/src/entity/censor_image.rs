//! Table `censor_image`: pictures that the review service reported.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "censor_image")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The picture.
    pub url: String,
    /// The review job.
    pub job_id: String,
    /// When, in Unix seconds.
    pub created_at: Option<i32>,
    /// What the review service suggests.
    pub suggestion: Option<String>,
    /// Verdict on pornography.
    pub pulp: Option<String>,
    /// Verdict on violence.
    pub terror: Option<String>,
    /// Verdict on politicians.
    pub politician: Option<String>,
    /// Verdict on advertisements.
    pub ads: Option<String>,
    /// The room.
    pub live_id: Option<String>,
    /// Whether an operator has looked at it.
    pub is_review: Option<i32>,
    /// The operator's verdict.
    pub review_answer: Option<i32>,
    /// The operator.
    pub review_user_id: Option<String>,
    /// When the operator decided.
    pub review_time: Option<WallTime>,
    /// Hash of job, address and time; NULL in rows of QNLiveKit_Server.
    pub seen_key: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
