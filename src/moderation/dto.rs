//! Requests and answers of the moderation routes.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::user::{User, UserView, end_in_seconds};
use store::db::WallTime;
use store::entity::{banned_word, live_moderator, live_sanction};

/// How people may chat in a room; what is absent is left alone.
#[derive(Clone, Copy, Debug, Default, Deserialize, Validate, ToSchema)]
pub struct ChangeSettings {
    /// At least so many seconds between two messages of a user, 0 to 3,600; 0 is off.
    #[garde(inner(range(max = 3600)))]
    pub slow_mode_s: Option<u32>,
    /// Whether only the anchor and the moderators may write.
    #[garde(skip)]
    pub is_muted: Option<bool>,
}

/// How people may chat in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SettingsView {
    /// At least so many seconds between two messages of a user; 0 is off.
    pub slow_mode_s: u32,
    /// Whether only the anchor and the moderators may write.
    pub is_muted: bool,
}

/// A moderator of a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModeratorView {
    /// Who.
    pub user: UserView,
    /// Who appointed them; empty for a backend.
    pub by: String,
    /// In which role: `anchor`, `admin` or `server`.
    pub role: String,
    /// When, Unix seconds.
    pub created_at: i64,
}

impl ModeratorView {
    pub(super) fn new(user: &User, row: live_moderator::Model, created_at: i64) -> Self {
        Self { user: UserView::of(user), by: row.by_user, role: row.by_role, created_at }
    }
}

/// Why a user is taken out of a room.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
pub struct KickOut {
    /// At most 255 characters; the user is told.
    #[garde(inner(length(chars, max = 255)))]
    pub reason: Option<String>,
}

/// A mute or a ban in a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct SanctionView {
    /// Whom it hits.
    pub user: UserView,
    /// Unix seconds; 0 is forever.
    pub until: i64,
    /// Why; may be empty.
    pub reason: String,
    /// Who imposed it; empty for a backend.
    pub by: String,
    /// In which role: `anchor`, `moderator`, `admin` or `server`.
    pub role: String,
    /// When, Unix seconds.
    pub created_at: i64,
}

impl SanctionView {
    pub(super) fn new(user: &User, row: live_sanction::Model, created_at: i64) -> Self {
        Self {
            user: UserView::of(user),
            until: end_in_seconds(row.until_ms),
            reason: row.reason,
            by: row.by_user,
            role: row.by_role,
            created_at,
        }
    }
}

/// Words to add to the banned ones, or to take out.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct Words {
    /// 1 to 200 words of 1 to 64 characters, none of them a control character, no space at the ends.
    #[garde(length(min = 1, max = 200), inner(custom(word)))]
    pub words: Vec<String>,
}

fn word(text: &str, _: &()) -> garde::Result {
    let chars = text.chars().count();
    let reason = if chars == 0 {
        "must not be empty"
    } else if chars > 64 {
        "has more than 64 characters"
    } else if text.chars().any(char::is_control) {
        "has a control character"
    } else if text.trim() != text {
        "has a space at an end"
    } else {
        return Ok(());
    };
    Err(garde::Error::new(reason))
}

/// How many words were added or taken out.
#[derive(Debug, Serialize, ToSchema)]
pub struct WordsChanged {
    /// How many.
    pub count: u64,
}

/// A banned word.
#[derive(Debug, Serialize, ToSchema)]
pub struct WordView {
    /// As it was given.
    pub word: String,
    /// The administrator who added it; empty for a backend.
    pub by: String,
    /// When, Unix seconds.
    pub created_at: i64,
}

impl WordView {
    pub(super) fn of_row(row: banned_word::Model, seconds: impl Fn(WallTime) -> i64) -> Self {
        Self { word: row.word, by: row.by_user, created_at: seconds(row.created_at) }
    }
}
