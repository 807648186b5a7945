//! Requests and answers of the gift routes.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use garde::Validate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::row::Gift;
use super::send_key;
use crate::rest::{ApiError, Invalid, body};
use common::text::{self, Extends};

/// The largest price.
pub const MAX_AMOUNT: i32 = 1_000_000;

/// A gift type as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GiftType {
    /// Its id.
    pub gift_id: i32,
    /// The list that it is shown in.
    #[serde(rename = "type")]
    pub kind: i32,
    /// Name.
    pub name: String,
    /// Price; 0 when the sender chooses.
    pub amount: i32,
    /// Picture.
    pub img: String,
    /// Kind of animation.
    pub animation_type: i32,
    /// Picture of the animation.
    pub animation_img: String,
    /// Place in the list, ascending.
    pub order: i32,
    /// Flat map of the app's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// A gift type to store under its id.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
pub struct SaveGiftType {
    /// From 1.
    #[garde(range(min = 1))]
    pub gift_id: i32,
    /// From 0.
    #[garde(skip)]
    #[serde(default, rename = "type", deserialize_with = "from_zero")]
    pub kind: i32,
    /// 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: String,
    /// 0 when the sender chooses, else 1 to 1,000,000.
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    #[serde(default)]
    pub amount: i32,
    /// At most 512 characters.
    #[garde(length(chars, max = 512))]
    #[serde(default)]
    pub img: String,
    /// Kind of animation, from 0.
    #[garde(range(min = 0))]
    #[serde(default)]
    pub animation_type: i32,
    /// At most 512 characters.
    #[garde(length(chars, max = 512))]
    #[serde(default)]
    pub animation_img: String,
    /// Place in the list, ascending.
    #[garde(skip)]
    #[serde(default)]
    pub order: i32,
    /// At most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// Checked here, since `garde` would name the field as the code does.
fn from_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let number = i32::deserialize(deserializer)?;
    if number < 0 { Err(D::Error::custom("lower than 0")) } else { Ok(number) }
}

#[derive(Deserialize, Validate)]
#[serde(transparent)]
#[garde(transparent)]
struct SaveMany(#[garde(length(min = 1, max = 200), dive)] Vec<SaveGiftType>);

/// One gift type, or a list of 1 to 200.
#[derive(Debug)]
pub struct SaveGiftTypes(pub Vec<SaveGiftType>);

impl FromRequest for SaveGiftTypes {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let bytes = body::raw(request);
        let is_list = bytes.trim_ascii_start().first() == Some(&b'[');
        let read: Result<Vec<SaveGiftType>, Invalid> = if is_list {
            body::parse::<SaveMany>(&bytes).map(|many| many.0)
        } else {
            body::parse::<SaveGiftType>(&bytes).map(|one| vec![one])
        };
        ready(read.map(Self).map_err(ApiError::from))
    }
}

/// The kind of gift types that a path ends with; -1, or none, stands for all.
#[derive(Clone, Copy, Debug)]
pub struct Kind(pub Option<i32>);

impl FromRequest for Kind {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().iter().next().map(|(_, text)| text);
        let number = text.map(str::parse::<i32>).transpose();
        let kind = number.map(|number| Self(number.filter(|&number| number != -1)));
        ready(kind.map_err(|_| Invalid("type: is not an integer".to_owned()).into()))
    }
}

/// A gift to send; the caller is its sender.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
pub struct SendGift {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// Which gift.
    #[garde(range(min = 1))]
    pub gift_id: i32,
    /// Price, up to 1,000,000; of a gift type with a fixed one that, or a multiple of it. 0 only where the
    /// type's is 0.
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    pub amount: i32,
    /// The client's own name for this gift, as the header `Idempotency-Key`: 1 to 64 visible ASCII
    /// characters. Not the id of the payment, which the server issues.
    #[garde(custom(send_key::client_key))]
    pub biz_id: Option<String>,
}

/// A gift to send in a user's name.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
pub struct SendGiftFor {
    /// Id of the payment, the caller's own: 1 to 64 visible ASCII characters without a question mark.
    #[garde(custom(send_key::biz_id))]
    pub biz_id: String,
    /// Who gives.
    #[garde(custom(text::user_id))]
    pub user_id: String,
    /// Which gift.
    #[garde(inner(range(min = 1)))]
    pub gift_id: Option<i32>,
    /// The same as `gift_id`, as QNLiveKit_Server's documents call it.
    #[garde(skip)]
    #[serde(rename = "type")]
    pub kind: Option<i32>,
    /// Price, up to 1,000,000; of a gift type with a fixed one that, or a multiple of it. 0 only where the
    /// type's is 0.
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    pub amount: i32,
    /// Asks the payment service again about a gift whose outcome is unknown.
    #[garde(skip)]
    #[serde(default)]
    pub redo: bool,
}

impl SendGiftFor {
    /// Which gift.
    ///
    /// # Errors
    /// [`Invalid`] when neither spelling is there.
    pub fn gift_id(&self) -> Result<i32, Invalid> {
        match (self.gift_id, self.kind) {
            (Some(gift_id), _) => Ok(gift_id),
            (None, Some(kind)) if kind < 1 => Err(Invalid("type: lower than 1".to_owned())),
            (None, Some(kind)) => Ok(kind),
            (None, None) => Err(Invalid("gift_id: missing".to_owned())),
        }
    }
}

/// A sent gift as lists show it; times are Unix seconds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GiftView {
    /// Row number.
    pub id: u32,
    /// Id of the payment.
    pub biz_id: String,
    /// Who gave.
    pub user_id: String,
    /// Which gift.
    pub gift_id: i32,
    /// Price.
    pub amount: i32,
    /// 0 waiting for the payment service, 1 paid, 2 refused.
    pub status: i32,
    /// The room.
    pub live_id: String,
    /// Who received.
    pub anchor_id: String,
    /// When it was sent.
    pub created_at: Option<i64>,
    /// When it was last changed.
    pub updated_at: Option<i64>,
}

impl From<Gift> for GiftView {
    fn from(gift: Gift) -> Self {
        Self {
            id: gift.row_id,
            biz_id: gift.sent.biz_id,
            user_id: gift.sent.user_id,
            gift_id: gift.sent.gift_id,
            amount: gift.sent.amount,
            status: gift.sent.status,
            live_id: gift.sent.live_id,
            anchor_id: gift.sent.anchor_id,
            created_at: gift.created_at.map(|at| at.timestamp()),
            updated_at: gift.updated_at.map(|at| at.timestamp()),
        }
    }
}

/// What the payment service is asked, read by the stand-in for it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct TestPaymentRequest {
    /// Id of the payment.
    #[garde(length(chars, max = 64))]
    #[serde(default)]
    pub biz_id: String,
    /// Price.
    #[garde(skip)]
    #[serde(default)]
    pub amount: i32,
}

/// What the stand-in answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestPaid {
    /// 1: paid.
    pub status: i32,
}
