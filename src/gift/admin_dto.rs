//! Gifts as operators see them, and what they do to them.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::correction::{REASON_CHARS, Verdict};
use super::export::Entry;

/// A gift, its payment, and what an operator did to it. Times are Unix seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminGift {
    /// Id of the payment.
    pub biz_id: String,
    /// The gift type.
    pub gift_id: i32,
    /// Name of the gift type; empty when it is unknown.
    pub gift_name: String,
    /// Price.
    pub amount: i32,
    /// The sender.
    pub user_id: String,
    /// The room's anchor.
    pub anchor_id: String,
    /// The room.
    pub live_id: String,
    /// `waiting`, `paid` or `refused`.
    pub status: &'static str,
    /// How often the payment service was asked.
    pub asks: i32,
    /// Of a waiting gift, whether it is asked about again without an operator.
    pub is_scheduled: bool,
    /// Why somebody should look at it.
    pub flag: Option<String>,
    /// When it was sent.
    pub created_at: Option<i64>,
    /// When it was last changed.
    pub updated_at: Option<i64>,
    /// Of a paid gift that was taken back.
    pub refund: Option<RefundView>,
}

/// Who took a gift back, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundView {
    /// Who.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When, Unix seconds.
    pub at: i64,
}

impl AdminGift {
    pub(super) fn new(entry: Entry, gift_name: String) -> Self {
        let Entry { gift, refund } = entry;
        Self {
            biz_id: gift.sent.biz_id,
            gift_id: gift.sent.gift_id,
            gift_name,
            amount: gift.sent.amount,
            user_id: gift.sent.user_id,
            anchor_id: gift.sent.anchor_id,
            live_id: gift.sent.live_id,
            status: gift.status.name(),
            asks: gift.asks,
            is_scheduled: gift.is_scheduled,
            flag: gift.flag,
            created_at: gift.created_at.map(|at| at.timestamp()),
            updated_at: gift.updated_at.map(|at| at.timestamp()),
            refund: refund.map(|refund| RefundView {
                operator: refund.operator,
                reason: refund.reason,
                at: refund.at.timestamp(),
            }),
        }
    }
}

/// What an operator knows of a payment.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The sender was charged.
    Paid,
    /// The sender was not charged.
    Refused,
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Paid => Self::Paid,
            Outcome::Refused => Self::Refused,
        }
    }
}

/// The end of a gift that nobody else can end.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct ResolveGift {
    /// `paid` or `refused`.
    #[garde(skip)]
    pub verdict: Outcome,
    /// How the operator knows; at most 512 characters.
    #[garde(length(chars, max = REASON_CHARS))]
    #[serde(default)]
    pub reason: String,
}

/// A paid gift that is taken back.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct RefundGift {
    /// Why; 1 to 512 characters, not all of them spaces.
    #[garde(length(chars, max = REASON_CHARS), custom(not_blank))]
    pub reason: String,
}

fn not_blank(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must not be empty")) } else { Ok(()) }
}
