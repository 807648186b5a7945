//! A gift, inside the event of its payment.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the sender of a gift gets as the answer, the receiver of callbacks as the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GiftRow {
    /// Id of the payment.
    pub biz_id: String,
    /// Who gave.
    pub user_id: String,
    /// The room.
    pub live_id: String,
    /// Who received.
    pub anchor_id: String,
    /// Which gift.
    pub gift_id: i32,
    /// Price.
    pub amount: i32,
    /// 0 waiting for the payment service, 1 paid, 2 refused.
    pub status: i32,
}
