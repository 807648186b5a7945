//! Tokens that let a user into an RTC room (Qiniu RTC "RoomToken").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::auth::Credentials;

const DEFAULT_LIFE_S: u64 = 24 * 3600;

/// Issues RTC room tokens.
#[derive(Clone, Debug)]
pub struct RtcTokens {
    app_id: String,
    keys: Credentials,
    life_s: i64,
}

/// The signed text; RTC takes the keys in this order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomAccess<'a> {
    app_id: &'a str,
    room_name: &'a str,
    user_id: &'a str,
    expire_at: i64,
    permission: &'static str,
}

impl RtcTokens {
    /// Tokens for the RTC app `app_id`, signed with the `account` keys, good for `life_s` seconds
    /// (24 hours when 0).
    #[must_use]
    pub fn new(app_id: impl Into<String>, keys: Credentials, life_s: u64) -> Self {
        let life_s = if life_s == 0 { DEFAULT_LIFE_S } else { life_s };
        Self { app_id: app_id.into(), keys, life_s: i64::try_from(life_s).unwrap_or(i64::MAX) }
    }

    /// The token that lets `user_id` into the room of `live_id`; for a PK, of the other room.
    ///
    /// Empty when no RTC app or no account is configured: a token signed with nothing would look
    /// like one that works.
    #[must_use]
    pub fn room_token(&self, user_id: &str, live_id: &str, now: DateTime<Utc>) -> String {
        if self.app_id.is_empty() || self.keys.is_empty() {
            return String::new();
        }
        let access = RoomAccess {
            app_id: &self.app_id,
            room_name: live_id,
            user_id,
            expire_at: now.timestamp().saturating_add(self.life_s),
            permission: "user",
        };
        // A struct of strings and a number always serialises.
        serde_json::to_vec(&access).map_or_else(|_| String::new(), |json| sign_with_data(&self.keys, &json))
    }
}

/// `<ak>:<sign>:<base64 of data>`, where the signature is over the base64.
#[must_use]
pub fn sign_with_data(keys: &Credentials, data: &[u8]) -> String {
    let encoded = URL_SAFE.encode(data);
    format!("{}:{}:{encoded}", keys.access_key, keys.sign(encoded.as_bytes()))
}
