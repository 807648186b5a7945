//! The IM account that every user owns.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use rand::distr::{Alphanumeric, SampleString};
use sha1::{Digest, Sha1};

use super::dto::Register;
use super::{User, queries};
use crate::im::Im;
use common::failure::with_causes;
use config::Secret;
use store::db::{Db, StoreError};
use telemetry::sampled;

/// How long the IM service is left alone after it failed, so that look-ups stay fast meanwhile.
const PAUSE: Duration = Duration::from_secs(3);

/// Accounts opened at the same time for one batch.
const AT_ONCE: usize = 16;

const PASSWORD_CHARS: usize = 16;

/// Characters that the `im_username` column holds.
const USERNAME_CHARS: usize = 64;

/// Opens accounts at the IM service.
pub struct ImAccounts {
    im: Im,
    db: Db,
    started: Instant,
    /// Milliseconds after `started` until which the service is left alone.
    paused_until_ms: AtomicU64,
}

impl ImAccounts {
    /// AccountStore at `im` for the users of `db`.
    #[must_use]
    pub fn new(im: Im, db: Db) -> Self {
        Self { im, db, started: Instant::now(), paused_until_ms: AtomicU64::new(0) }
    }

    /// Rows for new users, with accounts unless the IM service is down: then they are completed on
    /// the next look-up.
    pub async fn open(&self, users: Vec<Register>) -> Vec<User> {
        stream::iter(users).map(|user| self.open_one(blank(user))).buffered(AT_ONCE).collect().await
    }

    /// `user` with the account that it lacked, stored; as it was when that fails.
    pub async fn complete(&self, user: User) -> User {
        let completed = self.open_one(user.clone()).await;
        if completed.im_userid == 0 {
            return user;
        }
        match self.store(&completed).await {
            Ok(Some(other)) => other,
            Ok(None) => completed,
            Err(error) => {
                tracing::warn!(%error, user_id = user.user_id, "an IM account could not be stored");
                user
            }
        }
    }

    /// Stores the account, or answers the row as another call completed it meanwhile.
    async fn store(&self, user: &User) -> Result<Option<User>, StoreError> {
        if queries::set_im_account(self.db.writer(), user).await? {
            return Ok(None);
        }
        let found = queries::find(self.db.primary(), &user.user_id).await?;
        Ok(found.map(|(user, _)| user))
    }

    async fn open_one(&self, mut user: User) -> User {
        if self.is_paused() {
            return user;
        }
        let username = username(&user.user_id);
        let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_CHARS);
        match self.im.register(&username, &password).await {
            Ok(im_userid) => {
                user.im_userid = im_userid;
                user.im_username = username;
                user.im_password = Secret::new(password);
            }
            Err(error) => {
                // The built-in provider fails with this server's own database, which has to be asked to be
                // found well again.
                if !self.im.is_builtin() {
                    self.pause();
                }
                let error = with_causes(&error);
                sampled!(warn, error, user_id = user.user_id, "an IM account could not be opened");
            }
        }
        user
    }

    fn is_paused(&self) -> bool {
        self.started.elapsed() < Duration::from_millis(self.paused_until_ms.load(Ordering::Relaxed))
    }

    fn pause(&self) {
        let until = (self.started.elapsed() + PAUSE).as_millis();
        self.paused_until_ms.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn blank(user: Register) -> User {
    User {
        row_id: 0,
        user_id: user.user_id,
        nick: user.nick.unwrap_or_default(),
        avatar: user.avatar.unwrap_or_default(),
        extends: user.extends,
        im_userid: 0,
        im_username: String::new(),
        im_password: Secret::default(),
    }
}

/// `ql<user_id>`, or, where the column is too narrow for that, `ql<sha1 of it in hex>`.
fn username(user_id: &str) -> String {
    if user_id.chars().count() + 2 <= USERNAME_CHARS {
        return format!("ql{user_id}");
    }
    format!("ql{}", base16ct::lower::encode_string(&Sha1::digest(user_id)))
}
