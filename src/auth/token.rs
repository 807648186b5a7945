//! Client and operator tokens: JSON Web Tokens (RFC 7519), HS256 only.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::Error as JwtError;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::Expiry;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use common::clock::SharedClock;
use common::failure::{Failure, Kind};
use config::{Current, Secret};

/// A longer token is refused unread.
const MAX_TOKEN_BYTES: usize = 4096;
/// How long a verified token is remembered at most.
const REMEMBER: Duration = Duration::from_secs(300);
/// How far the clock of whoever issued a token may be ahead, in seconds.
const SKEW_S: i64 = 60;
/// The beginning of the year 3000, in Unix seconds. A token that ends later was given milliseconds, and
/// would be good for 50,000 years.
pub const LATEST_EXP: i64 = 32_503_680_000;
/// Room for verified tokens, in bytes of their text.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// What a token says. The names are part of the wire contract; every field is always written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// When the token ends, in Unix seconds; it is still good in that very second.
    pub exp: i64,
    /// The app the token was issued for.
    #[serde(rename = "AppId")]
    pub app_id: String,
    /// The user, in `live_users` or, with the role `admin`, in `admin_user`.
    #[serde(rename = "UserId")]
    pub user_id: String,
    /// The device, when the backend named one.
    #[serde(rename = "DeviceId")]
    pub device_id: String,
    /// `admin` for operators, else empty.
    #[serde(rename = "Role")]
    pub role: String,
    /// When the token was issued, in Unix seconds; tokens of QNLiveKit_Server do not say it.
    #[serde(rename = "iat", skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<i64>,
}

impl Claims {
    /// Those of a token for `user_id` that is issued `now` and good for `life`.
    #[must_use]
    pub fn lasting(user_id: String, now: DateTime<Utc>, life: TimeDelta) -> Self {
        Self { exp: (now + life).timestamp(), user_id, issued_at: Some(now.timestamp()), ..Self::default() }
    }
}

/// What is read from a token, also of other issuers: times may have a fraction (RFC 7519, "NumericDate"),
/// and what is `null` is absent.
#[derive(Deserialize)]
struct Wire {
    exp: NumericDate,
    #[serde(rename = "AppId")]
    app_id: Option<String>,
    #[serde(rename = "UserId")]
    user_id: String,
    #[serde(rename = "DeviceId")]
    device_id: Option<String>,
    #[serde(rename = "Role")]
    role: Option<String>,
    iat: Option<NumericDate>,
    nbf: Option<NumericDate>,
}

impl Wire {
    fn claims(self) -> Claims {
        Claims {
            exp: self.exp.seconds(),
            app_id: self.app_id.unwrap_or_default(),
            user_id: self.user_id,
            device_id: self.device_id.unwrap_or_default(),
            role: self.role.unwrap_or_default(),
            issued_at: self.iat.map(NumericDate::seconds),
        }
    }
}

/// Unix seconds, whole or with a fraction.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    /// Without the fraction; what is out of range is at the end of the range.
    fn seconds(self) -> i64 {
        match self {
            Self::Whole(seconds) => seconds,
            // Saturates; JSON has no NaN.
            #[allow(clippy::cast_possible_truncation)]
            Self::Fraction(seconds) => seconds.floor() as i64,
        }
    }
}

/// Why a token is refused, or the service cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Past its `exp`.
    #[error("Your token is expired")]
    Expired,
    /// Anything else: not a token, forged, another algorithm, a claim missing or of a wrong type, an `exp`
    /// in milliseconds, a `crit` (RFC 7515 section 4.1.11: none of what it may name is understood here).
    #[error("Unauthorized")]
    Bad,
    /// There is no key to sign with, or an empty one.
    #[error("auth.jwt_key: must not be empty")]
    NoKey,
    /// The token could not be written.
    #[error("cannot sign a token")]
    Sign(#[source] JwtError),
}

impl Failure for TokenError {
    fn kind(&self) -> Kind {
        match self {
            Self::Expired => Kind::TokenExpired,
            Self::Bad => Kind::Unauthorized,
            Self::NoKey | Self::Sign(_) => Kind::Internal,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}

/// The keys of `auth.jwt_keys`.
pub struct TokenKeys {
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    /// Another one after each reload: what former keys verified is not remembered.
    generation: u64,
}

impl TokenKeys {
    /// The first of `keys` signs, all verify, so that keys can be rotated.
    ///
    /// # Errors
    /// Without a key, or with an empty one.
    pub fn new(keys: &[Secret]) -> Result<Self, TokenError> {
        let first = keys.first().ok_or(TokenError::NoKey)?;
        if keys.iter().any(Secret::is_empty) {
            return Err(TokenError::NoKey);
        }
        Ok(Self {
            signing: EncodingKey::from_secret(first.expose().as_bytes()),
            verifying: keys.iter().map(|key| DecodingKey::from_secret(key.expose().as_bytes())).collect(),
            generation: rand::random(),
        })
    }
}

/// Issues and verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct TokenService {
    keys: Current<TokenKeys>,
    validation: Arc<Validation>,
    verified: Cache<Arc<str>, Remembered>,
    clock: SharedClock,
}

#[derive(Clone)]
struct Remembered {
    claims: Arc<Claims>,
    /// Of the keys that verified it.
    generation: u64,
    keep: Duration,
}

/// Drops a verified token at its `exp`, or after [`REMEMBER`].
struct AtExpiry;

impl Expiry<Arc<str>, Remembered> for AtExpiry {
    fn expire_after_create(&self, _: &Arc<str>, value: &Remembered, _: Instant) -> Option<Duration> {
        Some(value.keep)
    }
}

impl TokenService {
    /// A service with `keys`.
    #[must_use]
    pub fn new(keys: Current<TokenKeys>, clock: SharedClock) -> Self {
        let verified = Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|token: &Arc<str>, _: &Remembered| u32::try_from(token.len()).unwrap_or(u32::MAX))
            .expire_after(AtExpiry)
            .build();
        Self { keys, validation: Arc::new(hs256_without_times()), verified, clock }
    }

    /// Writes a token.
    pub fn issue(&self, claims: &Claims) -> Result<String, TokenError> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.keys.get().signing)
            .map_err(TokenError::Sign)
    }

    /// Reads a token, without a scheme before it (see [`strip_bearer`]).
    ///
    /// A token seen before costs one look-up; its `exp` is compared with the clock each time.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        let now = self.clock.now().timestamp();
        let keys = self.keys.get();
        if let Some(known) = self.verified.get(token).filter(|known| known.generation == keys.generation) {
            return in_time(known.claims, now);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Bad);
        }
        let claims = in_time(Arc::new(self.read(token, &keys, now)?), now)?;
        let left = Duration::from_secs(u64::try_from(claims.exp.saturating_sub(now)).unwrap_or(0));
        // Not worth remembering in its last second, and never beyond it.
        if !left.is_zero() {
            let (claims, keep) = (Arc::clone(&claims), left.min(REMEMBER));
            let remembered = Remembered { claims, generation: keys.generation, keep };
            self.verified.insert(token.into(), remembered);
        }
        Ok(claims)
    }

    fn read(&self, token: &str, keys: &TokenKeys, now: i64) -> Result<Claims, TokenError> {
        let token = keys
            .verifying
            .iter()
            .find_map(|key| jsonwebtoken::decode::<Wire>(token, key, &self.validation).ok())
            .filter(|token| token.header.crit.is_none())
            .ok_or(TokenError::Bad)?;
        let wire = token.claims;
        let is_later = |at: NumericDate| at.seconds() > now.saturating_add(SKEW_S);
        let from_the_future = wire.nbf.is_some_and(is_later) || wire.iat.is_some_and(is_later);
        if from_the_future || wire.user_id.is_empty() || wire.exp.seconds() > LATEST_EXP {
            return Err(TokenError::Bad);
        }
        Ok(wire.claims())
    }
}

impl std::fmt::Debug for TokenService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenService").field("keys", &self.keys.get().verifying.len()).finish_non_exhaustive()
    }
}

/// The token of an `Authorization` header, whose `Bearer ` is optional.
#[must_use]
pub fn strip_bearer(header: &str) -> &str {
    const SCHEME: &str = "Bearer ";
    match header.get(..SCHEME.len()) {
        Some(start) if start.eq_ignore_ascii_case(SCHEME) => {
            header.get(SCHEME.len()..).unwrap_or(header).trim()
        }
        _ => header.trim(),
    }
}

fn in_time(claims: Arc<Claims>, now: i64) -> Result<Arc<Claims>, TokenError> {
    if claims.exp < now { Err(TokenError::Expired) } else { Ok(claims) }
}

/// The times are compared with our clock instead, `exp` without a leeway; that it is there is required
/// by the type of [`Wire`].
fn hs256_without_times() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}
