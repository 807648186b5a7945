//! Requests and answers of the administrator routes.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::manage::can_log_in;
use common::text;
use store::entity::admin_user::Model;

/// An administrator to create.
#[derive(Deserialize, Validate, ToSchema)]
pub struct CreateAdmin {
    /// Name to log in with: 1 to 64 characters, as a user id.
    #[garde(custom(text::new_user_id))]
    pub user_name: String,
    /// Id in tokens and in the operation log; the name when absent.
    #[garde(inner(custom(text::new_user_id)))]
    pub user_id: Option<String>,
    /// 8 to 255 characters, not easily guessed.
    #[garde(length(chars, min = 8, max = 255))]
    pub password: String,
    /// What they are; at most 255 characters.
    #[garde(inner(length(chars, max = 255)))]
    pub description: Option<String>,
}

/// Changes to an administrator; what is absent is left alone.
#[derive(Deserialize, Validate, ToSchema)]
pub struct ChangeAdmin {
    /// Name to log in with.
    #[garde(inner(custom(text::new_user_id)))]
    pub user_name: Option<String>,
    /// 8 to 255 characters, not easily guessed. All tokens and sessions of the administrator end.
    #[garde(inner(length(chars, min = 8, max = 255)))]
    pub password: Option<String>,
    /// The password until now: needed by an administrator who changes their own.
    #[garde(inner(length(chars, max = 255)))]
    pub old_password: Option<String>,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255)))]
    pub description: Option<String>,
}

/// An administrator.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminView {
    /// Id in tokens and in the operation log.
    pub user_id: String,
    /// Name to log in with.
    pub user_name: String,
    /// What they are.
    pub description: String,
    /// Whether they have a password; one whom a backend's call for a token has made has none.
    pub can_log_in: bool,
}

impl AdminView {
    /// The view of a row.
    #[must_use]
    pub fn of_row(row: Model) -> Self {
        Self {
            can_log_in: can_log_in(&row),
            user_id: row.user_id.unwrap_or_default(),
            user_name: row.user_name.unwrap_or_default(),
            description: row.description.unwrap_or_default(),
        }
    }
}
