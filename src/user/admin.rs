//! Administrators: the operators of the console and of `/admin/*`.

mod attempts;
mod dto;
pub mod handlers;
mod log_in;
mod manage;
mod sessions;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::auth::{PasswordCheck, PasswordError, Passwords};
use crate::rest::rate_limit::RateLimited;
use common::clock::SharedClock;
use common::failure::{Failure, Kind};
use common::text::check_new_user_id;
use store::db::{Db, RetryableError, StoreError};
use store::entity::admin_user::{ActiveModel, Column, Entity, Model};

pub use log_in::LogIns;

/// Why a call about administrators failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Bad name or password.
    #[error("invalid username or password")]
    LoginFailed,
    /// An administrator with this name or id exists.
    #[error("there is an administrator of this name or id already")]
    AlreadyExists,
    /// There is no such administrator.
    #[error("there is no such administrator")]
    NotFound,
    /// An administrator may not delete themselves.
    #[error("an administrator cannot delete themselves")]
    Own,
    /// Nobody could log in any more.
    #[error("this is the last administrator who can log in")]
    Last,
    /// Whoever changes their own password has to give the one they have.
    #[error("old_password: must be the password that you have")]
    OldPassword,
    /// The password is one of those that are tried first.
    #[error(
        "password: is too common or too easy to guess: take a longer one, of words that do not belong together"
    )]
    Guessable,
    /// Nobody can be created under this id.
    #[error("user_id: {0}")]
    UserId(&'static str),
    /// Too many attempts.
    #[error(transparent)]
    Limited(#[from] RateLimited),
    /// The caller was deleted a moment ago.
    #[error("the caller is no administrator any more")]
    Gone,
    /// The password cannot be used or checked.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for AdminError {
    fn kind(&self) -> Kind {
        match self {
            Self::LoginFailed => Kind::LoginFailed,
            Self::AlreadyExists => Kind::AlreadyExists,
            Self::NotFound => Kind::NotFound,
            Self::Own | Self::OldPassword => Kind::Forbidden,
            Self::Guessable | Self::UserId(_) => Kind::Invalid,
            Self::Limited(error) => error.kind(),
            Self::Last => Kind::State,
            Self::Gone => Kind::Unauthorized,
            Self::Password(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

impl RetryableError for AdminError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

/// An administrator to create.
#[derive(Debug)]
pub struct NewAdmin {
    /// The id in tokens and logs.
    pub user_id: String,
    /// The name to log in with.
    pub user_name: String,
    /// The password.
    pub password: String,
    /// What they are.
    pub description: String,
}

/// The administrators; clones share everything.
#[derive(Clone)]
pub struct Admins {
    db: Db,
    passwords: Passwords,
    clock: SharedClock,
}

/// An administrator whose password was right.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who.
    pub user_id: String,
    /// As of when a token is to be issued, in Unix seconds: a change of the password since then revokes it.
    pub issued_at: i64,
}

impl Admins {
    /// The administrators in `db`.
    #[must_use]
    pub fn new(db: Db, passwords: Passwords, clock: SharedClock) -> Self {
        Self { db, passwords, clock }
    }

    /// Makes sure that there is an administrator `user_id`, without a password if new.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_or_create(&self, user_id: &str) -> Result<(), AdminError> {
        if self.find(Column::UserId, user_id, |row| row.user_id.as_deref()).await?.is_some() {
            return Ok(());
        }
        check_new_user_id(user_id).map_err(AdminError::UserId)?;
        let row = ActiveModel { user_id: Set(Some(user_id.to_owned())), ..ActiveModel::default() };
        match Entity::insert(row).exec(self.db.writer()).await.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Duplicate { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Who logs in with `name` and `password`. A password that an old database holds in plain text is replaced
    /// by its hash.
    async fn login(&self, name: &str, password: &str) -> Result<LoggedIn, AdminError> {
        let row = self.find(Column::UserName, name, |row| row.user_name.as_deref()).await?;
        // Before the check: a password that is changed meanwhile is no longer good for a token.
        let issued_at = match row.as_ref().and_then(|row| row.user_id.as_deref()) {
            Some(user_id) => self.issue_time(user_id).await?,
            None => 0,
        };
        let stored = row.as_ref().and_then(|row| row.password.as_deref());
        let checked = self.passwords.verify(password, stored).await?;
        let (Some(row), PasswordCheck::Right | PasswordCheck::RightLegacy) = (row, checked) else {
            return Err(AdminError::LoginFailed);
        };
        if checked == PasswordCheck::RightLegacy {
            let hash = self.passwords.hash(password).await?;
            let upgrade = Entity::update_many().col_expr(Column::Password, Expr::value(hash));
            // Only if it is still the one that was checked: somebody may have changed it meanwhile.
            let unchanged = Column::Id.eq(row.id).and(Column::Password.eq(row.password.clone()));
            upgrade.filter(unchanged).exec(self.db.writer()).await.map_err(StoreError::from)?;
        }
        let user_id = row.user_id.filter(|id| !id.is_empty()).ok_or(AdminError::LoginFailed)?;
        Ok(LoggedIn { user_id, issued_at })
    }

    /// Whether the administrator `user_id` has a password.
    async fn has_password(&self, user_id: &str) -> Result<bool, AdminError> {
        let row = self.find(Column::UserId, user_id, |row| row.user_id.as_deref()).await?;
        Ok(row.as_ref().is_some_and(manage::can_log_in))
    }

    /// Whether `password` is that of the administrator `user_id`.
    async fn check_password(&self, user_id: &str, password: &str) -> Result<(), AdminError> {
        let row = self.find(Column::UserId, user_id, |row| row.user_id.as_deref()).await?;
        let stored = row.as_ref().and_then(|row| row.password.as_deref());
        match self.passwords.verify(password, stored).await? {
            PasswordCheck::Wrong => Err(AdminError::OldPassword),
            PasswordCheck::Right | PasswordCheck::RightLegacy => Ok(()),
        }
    }

    /// The first row that is bytewise the wanted one: a collation may bring others.
    async fn find(
        &self,
        column: Column,
        wanted: &str,
        value: impl Fn(&Model) -> Option<&str>,
    ) -> Result<Option<Model>, StoreError> {
        let rows = Entity::find().filter(column.eq(wanted)).order_by_asc(Column::Id);
        let rows = rows.all(self.db.primary()).await?;
        Ok(rows.into_iter().find(|row| value(row) == Some(wanted)))
    }
}
