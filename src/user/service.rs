//! The rules of users.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::dto::{Register, UpdateUser};
use super::im_account::ImAccounts;
use super::{User, queries};
use crate::auth::{AccountStatus, AccountStore, StatusFuture};
use crate::im::Im;
use common::clock::SharedClock;
use common::failure::{Failure, Kind};
use common::text;
use store::cache::Cache;
use store::db::{Db, RetryableError, StoreError};
use store::lookup::{Lookup, SharedError};
use telemetry::sampled;

/// The topic under which changes of users are announced to all nodes.
pub const TOPIC: &str = "user";

/// How long a user may be answered from memory; changes drop the entry on every node at once.
const LOOKUP_TTL: Duration = Duration::from_secs(30);
const LOOKUP_CAPACITY: u64 = 200_000;

/// Why a call about users failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// The user exists already.
    #[error("the user exists already")]
    AlreadyExists,
    /// Nobody can be registered under this id.
    #[error("user_id: {0}")]
    UserId(&'static str),
    /// The merged map does not fit.
    #[error("extends: {0}")]
    Extends(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed in a look-up that several callers waited for.
    #[error(transparent)]
    Lookup(#[from] SharedError),
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyExists => Kind::AlreadyExists,
            Self::UserId(_) | Self::Extends(_) => Kind::Invalid,
            Self::Store(error) => error.kind(),
            Self::Lookup(error) => error.kind(),
        }
    }
}

impl RetryableError for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

/// The users of the app; clones share everything.
#[derive(Clone)]
pub struct Users {
    pub(super) db: Db,
    cache: Cache,
    pub(super) clock: SharedClock,
    accounts: Arc<ImAccounts>,
    rows: Lookup<User>,
    /// Of those who call. They are loaded with the row from the writable database, never from a copy
    /// that may not know of a ban yet.
    standings: Lookup<AccountStatus>,
}

impl Users {
    /// Users in `db` with accounts at `im`.
    #[must_use]
    pub fn new(db: Db, cache: Cache, im: Im, clock: SharedClock) -> Self {
        let accounts = Arc::new(ImAccounts::new(im, db.clone()));
        let rows = Lookup::new(LOOKUP_CAPACITY, LOOKUP_TTL);
        let standings = Lookup::new(LOOKUP_CAPACITY, LOOKUP_TTL);
        Self { db, cache, clock, accounts, rows, standings }
    }

    /// The user `user_id`; their IM account is made up for when it is missing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn find(&self, user_id: &str) -> Result<Arc<User>, Error> {
        let user = self.known(user_id).await?.ok_or(Error::NotFound)?;
        if user.im_userid != 0 {
            return Ok(user);
        }
        let completed = self.accounts.complete(User::clone(&user)).await;
        if completed.im_userid != 0 {
            self.changed(user_id).await;
        }
        Ok(Arc::new(completed))
    }

    /// The user `user_id` from memory or the database, without a look at the IM service.
    ///
    /// # Errors
    /// The store's.
    pub async fn known(&self, user_id: &str) -> Result<Option<Arc<User>>, SharedError> {
        let load = async {
            let mark = self.standings.mark();
            let Some((user, status)) = self.load(user_id).await? else { return Ok(None) };
            self.standings.keep(mark, user_id, Arc::new(status)).await;
            Ok(Some(user))
        };
        self.rows.get(user_id, load).await
    }

    /// How `user_id` stands, from memory or the database; None when there is no such user.
    ///
    /// # Errors
    /// The store's.
    pub async fn account_status(&self, user_id: &str) -> Result<Option<Arc<AccountStatus>>, SharedError> {
        let load = async {
            let mark = self.rows.mark();
            let Some((user, status)) = self.load(user_id).await? else { return Ok(None) };
            self.rows.keep(mark, user_id, Arc::new(user)).await;
            Ok(Some(status))
        };
        self.standings.get(user_id, load).await
    }

    async fn load(&self, user_id: &str) -> Result<Option<(User, AccountStatus)>, StoreError> {
        queries::find(self.db.primary(), user_id).await
    }

    /// Those of `user_ids` that exist, in the order asked for.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, user_ids: &[String]) -> Result<Vec<Arc<User>>, Error> {
        let mut found = HashMap::with_capacity(user_ids.len());
        let mut missing = Vec::new();
        for id in user_ids {
            match self.rows.peek(id).await {
                Some(user) => _ = found.insert(id.as_str(), user),
                None => missing.push(id.as_str()),
            }
        }
        if !missing.is_empty() {
            let mark = self.rows.mark();
            let wanted: HashSet<&str> = missing.iter().copied().collect();
            for user in queries::find_many(self.db.reader(), &missing).await? {
                let user = Arc::new(user);
                self.rows.keep(mark, &user.user_id, Arc::clone(&user)).await;
                if let Some(id) = wanted.get(user.user_id.as_str()) {
                    found.insert(id, user);
                }
            }
        }
        let mut seen = HashSet::new();
        Ok(user_ids
            .iter()
            .filter(|id| seen.insert(*id))
            .filter_map(|id| found.get(id.as_str()).cloned())
            .collect())
    }

    /// The users with these IM account numbers.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_by_im(&self, im_userids: &[i64]) -> Result<Vec<User>, Error> {
        Ok(queries::find_by_im(self.db.reader(), im_userids).await?)
    }

    /// Registers one user.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], or the store's.
    pub async fn register(&self, user: Register) -> Result<(), Error> {
        let failed = self.register_all(vec![user]).await?;
        if failed.is_empty() { Ok(()) } else { Err(Error::AlreadyExists) }
    }

    /// Registers users and answers those that were not, with the reason.
    ///
    /// # Errors
    /// The store's; then none was registered.
    pub async fn register_all(&self, users: Vec<Register>) -> Result<BTreeMap<String, String>, Error> {
        let mut failed = BTreeMap::new();
        let ids: Vec<&str> = users.iter().map(|user| user.user_id.as_str()).collect();
        let existing = queries::existing(self.db.writer(), &ids).await?;
        let mut taken: HashSet<String> = existing.into_iter().collect();
        let mut fresh = Vec::with_capacity(users.len());
        for user in users {
            if taken.insert(user.user_id.clone()) {
                fresh.push(user);
            } else {
                failed.insert(user.user_id, "Already existed".to_owned());
            }
        }
        if !fresh.is_empty() {
            let rows = self.accounts.open(fresh).await;
            self.insert(rows, &mut failed).await?;
        }
        Ok(failed)
    }

    /// Inserts all at once, or, when another call registered one of them meanwhile, one by one.
    async fn insert(&self, rows: Vec<User>, failed: &mut BTreeMap<String, String>) -> Result<(), Error> {
        let now = self.db.wall(self.clock.now());
        match queries::insert(self.db.writer(), &rows, now).await {
            Err(StoreError::Duplicate { .. }) => {}
            other => return Ok(other?),
        }
        for row in rows {
            match queries::insert(self.db.writer(), std::slice::from_ref(&row), now).await {
                Err(StoreError::Duplicate { .. }) => {
                    failed.insert(row.user_id, "Already existed".to_owned());
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// The user `user_id`, registered now if new.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_or_register(&self, user_id: &str) -> Result<Arc<User>, Error> {
        match self.find(user_id).await {
            Err(Error::NotFound) => {}
            other => return other,
        }
        text::check_new_user_id(user_id).map_err(Error::UserId)?;
        match self.register(Register::bare(user_id)).await {
            Ok(()) | Err(Error::AlreadyExists) => self.find(user_id).await,
            Err(error) => Err(error),
        }
    }

    /// Changes a user: empty fields are left alone, `extends` is merged key by key.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Extends`] when the merged map is too large, or the store's.
    pub async fn update(&self, user_id: &str, change: &UpdateUser) -> Result<(), Error> {
        let now = self.db.wall(self.clock.now());
        self.db
            .transaction(|tx| {
                Box::pin(async move {
                    let user = queries::find_for_update(tx, user_id).await?.ok_or(Error::NotFound)?;
                    let merged = merge(&user, change)?;
                    queries::update(tx, &user, change, merged, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        self.changed(user_id).await;
        Ok(())
    }

    pub(super) async fn changed(&self, user_id: &str) {
        self.forget(Some(user_id)).await;
        if let Err(error) = self.cache.announce(TOPIC, user_id).await {
            sampled!(warn, %error, "other nodes may know a user as before for {} s", LOOKUP_TTL.as_secs());
        }
    }

    /// Drops what is remembered of `user_id`, or of everybody.
    pub async fn forget(&self, user_id: Option<&str>) {
        match user_id {
            Some(id) => {
                self.rows.forget(id).await;
                self.standings.forget(id).await;
            }
            None => {
                self.rows.forget_all();
                self.standings.forget_all();
            }
        }
    }
}

/// The stored map with the keys of the change, when the change has any.
fn merge(user: &User, change: &UpdateUser) -> Result<Option<text::Extends>, Error> {
    let Some(new) = change.extends.as_ref().filter(|map| !map.is_empty()) else { return Ok(None) };
    let mut merged = user.extends.clone().unwrap_or_default();
    merged.extend(new.clone());
    text::check_extends(&merged).map_err(Error::Extends)?;
    Ok(Some(merged))
}

impl AccountStore for Users {
    fn status<'a>(&'a self, user_id: &'a str) -> StatusFuture<'a> {
        Box::pin(async move { Ok(self.account_status(user_id).await?) })
    }
}
