//! The check of an incoming signed request.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Credentials, RequestParts, SCHEME, SignatureError, path_candidates, signing_text, verify};

const DATE_HEADER: &str = "X-Qiniu-Date";
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";
/// `20060102T150405Z`; chrono alone would take shorter numbers too.
const DATE_LENGTH: usize = 16;
/// How far `X-Qiniu-Date` may be from now, in either direction.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Verifies requests to `/server/*`.
#[derive(Clone, Debug)]
pub struct ServerSignature {
    keys: Credentials,
    require_date: bool,
}

/// What a caller needs to refuse the repeat of a request whose date was required.
///
/// `cache.set_if_absent(guard.key, "", guard.keep)` that answers "was there" means
/// [`SignatureError::Replayed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayGuard {
    /// Names the request: its date and its signature.
    pub key: String,
    /// How long the date stays within the window.
    pub keep: Duration,
}

impl ServerSignature {
    /// A check against `keys`; with an empty key every request is refused.
    #[must_use]
    pub fn new(keys: Credentials, require_date: bool) -> Self {
        Self { keys, require_date }
    }

    /// Refuses what needs no look at the body, so that none is read for it.
    ///
    /// # Errors
    /// As [`ServerSignature::check`].
    pub fn check_head(
        &self,
        authorization: Option<&str>,
        parts: &RequestParts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        path_candidates(parts.path)?;
        self.claimed_signature(authorization)?;
        self.date(parts, now).map(|_| ())
    }

    /// Checks the `Authorization` header of a request.
    ///
    /// The guard is there when the date is required; the caller keeps the store for it.
    pub fn check(
        &self,
        authorization: Option<&str>,
        parts: &RequestParts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<ReplayGuard>, SignatureError> {
        let paths = path_candidates(parts.path)?;
        let given = self.claimed_signature(authorization)?;
        if !parts.body_is_covered() {
            return Err(SignatureError::BodyNotCovered);
        }
        let secret = self.keys.secret_key.expose();
        // Every candidate is tried, so that the time does not tell which one it was.
        let matches =
            paths.iter().fold(false, |found, path| verify(secret, &signing_text(parts, path), given) | found);
        if !matches {
            return Err(SignatureError::Mismatch);
        }
        let date = self.date(parts, now)?.filter(|_| self.require_date);
        Ok(date.map(|date| guard(date, given, now)))
    }

    fn claimed_signature<'h>(&self, authorization: Option<&'h str>) -> Result<&'h str, SignatureError> {
        let header = authorization.ok_or(SignatureError::Missing)?;
        let token = header.strip_prefix(SCHEME).ok_or(SignatureError::Malformed)?;
        let (access_key, given) = token.split_once(':').ok_or(SignatureError::Malformed)?;
        if self.keys.is_empty() || access_key != self.keys.access_key {
            return Err(SignatureError::UnknownKey);
        }
        Ok(given)
    }

    /// When the request says that it was made, which must be about now.
    fn date(
        &self,
        parts: &RequestParts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, SignatureError> {
        let Some(text) = parts.headers.get(DATE_HEADER).filter(|text| !text.is_empty()) else {
            return if self.require_date { Err(SignatureError::DateMissing) } else { Ok(None) };
        };
        let date = parse_date(text).ok_or(SignatureError::DateMalformed)?;
        let Ok(distance) = (now - date).abs().to_std() else {
            return Err(SignatureError::DateMalformed);
        };
        if distance > WINDOW.to_std().unwrap_or_default() {
            return Err(SignatureError::DateOutOfWindow);
        }
        Ok(Some(date))
    }
}

/// Names a request of that date and signature.
fn guard(date: DateTime<Utc>, given: &str, now: DateTime<Utc>) -> ReplayGuard {
    let until_stale = (date + WINDOW - now).to_std().unwrap_or_default();
    // Both spellings of a signature, padded and stripped, are one request.
    let sign = given.strip_suffix('=').unwrap_or(given);
    ReplayGuard {
        key: format!("replay:{}:{sign}", date.format(DATE_FORMAT)),
        // One second more: the window's end belongs to it.
        keep: until_stale + Duration::from_secs(1),
    }
}

fn parse_date(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == DATE_LENGTH)?;
    NaiveDateTime::parse_from_str(text, DATE_FORMAT).ok().map(|date| date.and_utc())
}
