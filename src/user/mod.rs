//! Users of the app: registration, profiles, their IM accounts and tokens, bans; administrators, and
//! the log of what they did.

pub mod admin;
pub mod ban_handlers;
pub mod bans;
mod directory;
pub mod directory_handlers;
mod dto;
pub mod handlers;
mod im_account;
pub mod operations;
mod queries;
mod service;
pub mod sessions;
pub mod tokens;

pub use admin::{Admins, LogIns, NewAdmin};
pub use ban_handlers::Operator;
pub use bans::{Bans, end_in_seconds, end_of};
pub use directory::AdminUser;
pub use dto::{ImposeBan, ProfileView, Register, RegisterBatch, UpdateUser, UserView};
pub use operations::Operations;
pub use service::{Error, TOPIC, Users};

use crate::im::Account;
use common::text::Extends;
use config::Secret;

/// A user of the app.
#[derive(Clone, Debug)]
pub struct User {
    /// Primary key of the row.
    pub row_id: u32,
    /// The app's own id, compared byte by byte.
    pub user_id: String,
    /// Name to show.
    pub nick: String,
    /// Picture.
    pub avatar: String,
    /// Flat map of the app's own.
    pub extends: Option<Extends>,
    /// Account number in the IM service, 0 while there is none.
    pub im_userid: i64,
    /// Account name in the IM service.
    pub im_username: String,
    /// Password of the IM account.
    pub im_password: Secret,
}

impl User {
    /// Their account in the IM service, when they have one.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        (self.im_userid != 0).then(|| Account { user_id: self.user_id.clone(), number: self.im_userid })
    }

    /// Stands for a user whose row is gone.
    #[must_use]
    pub fn unknown(user_id: &str) -> Self {
        Self {
            row_id: 0,
            user_id: user_id.to_owned(),
            nick: String::new(),
            avatar: String::new(),
            extends: None,
            im_userid: 0,
            im_username: String::new(),
            im_password: Secret::default(),
        }
    }
}
