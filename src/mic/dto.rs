//! Requests and answers of the seat routes.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::queries::{Flags, SeatStatus};
use super::service::Device;
use crate::rest::{Invalid, Params};
use crate::user::{User, UserView};
use common::text::{self, Extends};

/// A seat to take.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct TakeSeat {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// Whether the microphone is on; absent is off.
    #[garde(skip)]
    #[serde(default)]
    pub mic: bool,
    /// Whether the camera is on; absent is off.
    #[garde(skip)]
    #[serde(default)]
    pub camera: bool,
    /// At most 1024 bytes as JSON; absent leaves the map of a former time.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// Another spelling of `extends`.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extend: Option<Extends>,
}

impl TakeSeat {
    /// The room, and what is said of the seat.
    #[must_use]
    pub fn into_parts(self) -> (String, Flags) {
        let extends = self.extends.or(self.extend);
        (self.live_id, Flags { mic: self.mic, camera: self.camera, extends })
    }
}

/// The seat to leave. The room may stand in the query instead.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct SeatRoom {
    /// The room.
    #[garde(inner(length(chars, max = 64)))]
    pub live_id: Option<String>,
}

impl SeatRoom {
    /// The room, from the body or the query.
    ///
    /// # Errors
    /// [`Invalid`] when it is in neither.
    pub fn live_id(self, params: &Params) -> Result<String, Invalid> {
        given("live_id", self.live_id, params)
    }
}

/// The guest to take off. Both may stand in the query instead.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct SeatOfUser {
    /// The room.
    #[garde(inner(length(chars, max = 64)))]
    pub live_id: Option<String>,
    /// The guest.
    #[garde(inner(length(chars, max = 64)))]
    pub user_id: Option<String>,
    /// Another spelling of `user_id`.
    #[garde(inner(length(chars, max = 64)))]
    #[serde(rename = "user-id")]
    pub dashed_user_id: Option<String>,
}

impl SeatOfUser {
    /// The room and the guest, from the body or the query.
    ///
    /// # Errors
    /// [`Invalid`] when one of them is in neither.
    pub fn ids(self, params: &Params) -> Result<(String, String), Invalid> {
        let live_id = given("live_id", self.live_id, params)?;
        let dashed = self.dashed_user_id.or_else(|| params.get("user-id").map(str::to_owned));
        let user_id = given("user_id", self.user_id.or(dashed), params)?;
        Ok((live_id, user_id))
    }
}

/// A value of the body, or else of the query.
fn given(name: &str, in_body: Option<String>, params: &Params) -> Result<String, Invalid> {
    let value = in_body.filter(|value| !value.is_empty());
    let value = value.or_else(|| params.get(name).map(str::to_owned));
    let value = value.ok_or_else(|| Invalid(format!("{name}: must not be empty")))?;
    if value.chars().count() > 64 {
        return Err(Invalid(format!("{name}: has more than 64 characters")));
    }
    Ok(value)
}

/// A user to keep off the seats of a room, or not any more.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct ForbidSeat {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// The user.
    #[garde(custom(text::user_id))]
    pub user_id: String,
}

/// Another map of a seat.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct SeatExtends {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// Whose seat; absent is the caller's own.
    #[garde(inner(length(chars, max = 64)))]
    pub user_id: Option<String>,
    /// Another spelling of `user_id`.
    #[garde(inner(length(chars, max = 64)))]
    #[serde(rename = "user-id")]
    pub dashed_user_id: Option<String>,
    /// Replaces the seat's map; absent empties it.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// Another spelling of `extends`.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extend: Option<Extends>,
}

/// A microphone or camera that went on or off.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct SeatSwitch {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// Whose seat; absent is the caller's own.
    #[garde(inner(length(chars, max = 64)))]
    pub user_id: Option<String>,
    /// Another spelling of `user_id`.
    #[garde(inner(length(chars, max = 64)))]
    #[serde(rename = "user-id")]
    pub dashed_user_id: Option<String>,
    /// `mic` or `camera`.
    #[garde(skip)]
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub device: Device,
    /// Whether it is on.
    #[garde(skip)]
    pub status: Option<bool>,
    /// Another spelling of `status`.
    #[garde(skip)]
    pub flag: Option<bool>,
}

impl SeatSwitch {
    /// Whether the device is on.
    ///
    /// # Errors
    /// [`Invalid`] when it is not said.
    pub fn is_on(&self) -> Result<bool, Invalid> {
        self.status.or(self.flag).ok_or_else(|| Invalid("status: must be true or false".to_owned()))
    }
}

/// The first of two spellings of a user, or else the caller.
#[must_use]
pub fn user_or(caller: &str, user_id: Option<String>, dashed: Option<String>) -> String {
    let named = |id: Option<String>| id.filter(|id| !id.is_empty());
    named(user_id).or_else(|| named(dashed)).unwrap_or_else(|| caller.to_owned())
}

/// Answer to one who took a seat.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Lets the guest publish in the room's RTC room; empty when no RTC app is configured.
    pub rtc_token: String,
}

/// A guest on a seat.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatView {
    /// The guest.
    pub user: UserView,
    /// Whether the microphone is on.
    pub mic: bool,
    /// Whether the camera is on.
    pub camera: bool,
    /// 0 on, 1 left, 2 forbidden.
    #[schema(value_type = u8)]
    pub status: SeatStatus,
    /// Flat map of the app's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

impl SeatView {
    /// The taken seat of `user`.
    #[must_use]
    pub fn new(user: &User, flags: Flags) -> Self {
        let Flags { mic, camera, extends } = flags;
        Self { user: UserView::of(user), mic, camera, status: SeatStatus::On, extends }
    }
}
