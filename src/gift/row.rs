//! A gift as code works with it.

use chrono::{DateTime, Utc};

use super::payment::{Refusal, UNPAID_CODE, UNPAID_MESSAGE};
use crate::event::GiftRow;
use store::db::Db;
use store::entity::live_gift::Model;

/// What is known of a payment: the column `status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GiftStatus {
    /// Nobody knows yet.
    #[default]
    Waiting,
    /// It is paid, and was announced.
    Paid,
    /// It was refused.
    Refused,
}

impl GiftStatus {
    /// The status of a stored number; an unknown one is nothing that may be paid.
    #[must_use]
    pub fn of_column(value: i32) -> Self {
        match value {
            0 => Self::Waiting,
            1 => Self::Paid,
            _ => Self::Refused,
        }
    }

    /// The number that is stored.
    #[must_use]
    pub fn column(self) -> i32 {
        match self {
            Self::Waiting => 0,
            Self::Paid => 1,
            Self::Refused => 2,
        }
    }

    /// `waiting`, `paid` or `refused`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Paid => "paid",
            Self::Refused => "refused",
        }
    }
}

/// A row of `live_gift`.
#[derive(Clone, Debug, Default)]
pub struct Gift {
    /// Primary key of the row.
    pub row_id: u32,
    /// What its sender sees.
    pub sent: GiftRow,
    /// What is known of its payment.
    pub status: GiftStatus,
    /// How often the payment service was asked; the last one who asked has this number.
    pub asks: i32,
    /// Whether the payment service is asked again without anybody's doing.
    pub is_scheduled: bool,
    /// What its sender is told while it is not paid.
    pub refusal: Refusal,
    /// Why an operator should look at it.
    pub flag: Option<String>,
    /// When it was sent.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Gift {
    /// The row `model`.
    pub(super) fn of(db: &Db, model: Model) -> Self {
        let status = GiftStatus::of_column(model.status);
        let instant = |wall: Option<_>| wall.map(|wall| db.instant(wall));
        Self {
            row_id: model.id,
            sent: GiftRow {
                biz_id: model.biz_id,
                user_id: model.user_id,
                live_id: model.live_id,
                anchor_id: model.anchor_id,
                gift_id: model.gift_id,
                amount: model.amount,
                status: model.status,
            },
            status,
            asks: model.asks,
            is_scheduled: status == GiftStatus::Waiting && model.next_ask_ms.is_some(),
            refusal: Refusal {
                code: model.pay_code.filter(|&code| code != 0).unwrap_or(UNPAID_CODE),
                message: model.pay_message.unwrap_or_else(|| UNPAID_MESSAGE.to_owned()),
            },
            flag: model.flag,
            created_at: instant(model.created_at),
            updated_at: instant(model.updated_at),
        }
    }

    /// The same gift with another status.
    #[must_use]
    pub(super) fn with_status(mut self, status: GiftStatus) -> Self {
        self.status = status;
        self.sent.status = status.column();
        self
    }
}
