//! Requests and answers of the user routes.

use std::time::Duration;

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::User;
use super::bans::end_in_seconds;
use common::text::{self, Extends};
use store::entity::user_ban;

/// A user to register.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
pub struct Register {
    /// 1 to 64 characters; see docs/api.md for what it may hold.
    #[garde(custom(text::new_user_id))]
    pub user_id: String,
    /// At most 64 characters, none of them a control character, and one to see.
    #[garde(inner(length(chars, max = 64), custom(text::shown)))]
    pub nick: Option<String>,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255), custom(text::web_address)))]
    pub avatar: Option<String>,
    /// At most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

impl Register {
    /// A user of whom only the id is known.
    #[must_use]
    pub fn bare(user_id: &str) -> Self {
        Self { user_id: user_id.to_owned(), nick: None, avatar: None, extends: None }
    }
}

/// 1 to 200 users to register.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
pub struct RegisterBatch(#[garde(length(min = 1, max = 200), dive)] pub Vec<Register>);

/// Changes to a user; empty fields are left alone.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
pub struct UpdateUser {
    /// At most 64 characters, none of them a control character, and one to see.
    #[garde(inner(length(chars, max = 64), custom(text::shown)))]
    pub nick: Option<String>,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255), custom(text::web_address)))]
    pub avatar: Option<String>,
    /// Merged into the stored map key by key; the result takes at most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// A user as others see them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserView {
    /// The app's own id.
    pub user_id: String,
    /// Name to show.
    pub nick: String,
    /// Picture.
    pub avatar: String,
    /// Account number in the IM service, 0 while there is none.
    pub im_userid: i64,
    /// Account name in the IM service; left out where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub im_username: String,
    /// Flat map of the app's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

impl UserView {
    /// The view of `user`.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self {
            user_id: user.user_id.clone(),
            nick: user.nick.clone(),
            avatar: user.avatar.clone(),
            im_userid: user.im_userid,
            im_username: user.im_username.clone(),
            extends: user.extends.clone(),
        }
    }
}

/// A user with the IM credentials, as they and servers see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileView {
    /// The app's own id.
    pub user_id: String,
    /// Name to show.
    pub nick: String,
    /// Picture.
    pub avatar: String,
    /// Flat map of the app's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// Account number in the IM service, 0 while there is none.
    pub im_userid: i64,
    /// Account name in the IM service.
    pub im_username: String,
    /// Password of the IM account.
    pub im_password: String,
}

impl ProfileView {
    /// The view of `user`.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self {
            user_id: user.user_id.clone(),
            nick: user.nick.clone(),
            avatar: user.avatar.clone(),
            extends: user.extends.clone(),
            im_userid: user.im_userid,
            im_username: user.im_username.clone(),
            im_password: user.im_password.expose().to_owned(),
        }
    }
}

/// A ban from the platform, or from a room, or a mute there.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
pub struct ImposeBan {
    /// 1 to 31,536,000 seconds (365 days); forever when absent.
    #[garde(inner(range(min = 1, max = 31_536_000)))]
    pub duration_s: Option<u32>,
    /// At most 255 characters; the user is told.
    #[garde(inner(length(chars, max = 255)))]
    pub reason: Option<String>,
}

impl ImposeBan {
    /// How long; None is forever.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.duration_s.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// A user who is banned from the platform.
#[derive(Debug, Serialize, ToSchema)]
pub struct BanView {
    /// Who.
    pub user: UserView,
    /// Unix seconds; 0 is forever.
    pub until: i64,
    /// Why; may be empty.
    pub reason: String,
    /// The administrator who imposed it; empty for a backend.
    pub by: String,
    /// When, Unix seconds.
    pub created_at: i64,
}

impl BanView {
    pub(super) fn new(user: &User, row: &user_ban::Model, created_at: i64) -> Self {
        Self {
            user: UserView::of(user),
            until: end_in_seconds(row.until_ms.unwrap_or_default()),
            reason: row.reason.clone(),
            by: row.by_user.clone(),
            created_at,
        }
    }
}
