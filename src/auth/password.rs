//! Passwords of operators: argon2id with OWASP's parameters, and the plaintext rows of old databases.

use std::borrow::Cow;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use common::failure::{Failure, Kind};

/// Memory (19 MiB), passes and lanes as OWASP's Password Storage Cheat Sheet gives them.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// At most this many hashes at a time: a flood of log-ins must not take all memory.
const AT_A_TIME: usize = 4;
/// The longest password that is looked at.
const MAX_PASSWORD_BYTES: usize = 1024;
const HASH_PREFIX: &str = "$argon2";

/// The answer to "is this the password".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// No.
    Wrong,
    /// Yes.
    Right,
    /// Yes, and the row holds it in plain text: the caller stores a hash in its place.
    RightLegacy,
}

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Empty, or longer than 1024 bytes.
    #[error("password: must be 1..=1024 bytes")]
    Length,
    /// The stored hash cannot be read, or hashing failed.
    #[error("password hash: {0}")]
    Hash(String),
    /// The blocking thread did not finish.
    #[error("the password thread stopped")]
    Stopped,
}

impl Failure for PasswordError {
    fn kind(&self) -> Kind {
        match self {
            Self::Length => Kind::Invalid,
            Self::Hash(_) | Self::Stopped => Kind::Internal,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}

/// Hashes and checks passwords on blocking threads, a few at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    seats: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { seats: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Passwords {
    /// The argon2id hash of a password, in PHC form (`$argon2id$v=19$…`), with a fresh salt.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::Length);
        }
        let password = password.to_owned();
        self.blocking(move || hash_now(&password)).await
    }

    /// Compares a password with what the row holds; `None` when there is no such operator, which
    /// takes as long as a wrong password.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordCheck, PasswordError> {
        if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
            return Ok(PasswordCheck::Wrong);
        }
        let password = password.to_owned();
        let stored = stored.unwrap_or_default().to_owned();
        self.blocking(move || verify_now(&password, &stored)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(|_| PasswordError::Stopped)?;
        let work = move || {
            // Held by the thread, not by the waiter, who may be gone before the work is done.
            let _seat = seat;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Stopped)?
    }
}

/// Whether a row holds a password in plain text, as the Go server writes it.
#[must_use]
pub fn is_legacy(stored: &str) -> bool {
    !stored.starts_with(HASH_PREFIX)
}

fn verify_now(password: &str, stored: &str) -> Result<PasswordCheck, PasswordError> {
    if is_legacy(stored) {
        // Costs as much as a hashed row, so that the time does not tell the rows apart.
        hash_now(password)?;
        // An empty row matches nothing: an empty password does not come this far.
        let same = bool::from(password.as_bytes().ct_eq(stored.as_bytes()));
        return Ok(if same { PasswordCheck::RightLegacy } else { PasswordCheck::Wrong });
    }
    let parsed = PasswordHash::new(stored).map_err(|error| PasswordError::Hash(error.to_string()))?;
    if parsed.salt.is_none() || parsed.hash.is_none() {
        return Err(PasswordError::Hash("the stored hash is cut off".to_owned()));
    }
    match hasher()?.verify_password(password.as_bytes(), &parsed) {
        Ok(()) => Ok(PasswordCheck::Right),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(PasswordCheck::Wrong),
        Err(error) => Err(PasswordError::Hash(error.to_string())),
    }
}

fn hash_now(password: &str) -> Result<String, PasswordError> {
    let hash = hasher()?.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
