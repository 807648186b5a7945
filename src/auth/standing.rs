//! What keeps a user with a good token out: a ban, or the revocation of the token.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};

use super::token::{Claims, TokenError};
use common::failure::{Failure, Kind};

/// How somebody stands who has an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The ban that was imposed last, unless it was lifted; it may be over.
    pub ban: Option<Ban>,
    /// Tokens issued in this Unix second or before are revoked.
    pub revoked_at: Option<i64>,
}

/// A ban from the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Until when, in Unix milliseconds; 0 is forever.
    pub until_ms: i64,
    /// Why; may be empty.
    pub reason: String,
}

/// Why a user with a good token is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// They are banned; the text says until when and why.
    #[error("{0}")]
    Banned(String),
    /// The token is revoked, or it is not known that it is not.
    #[error("the token is revoked")]
    Revoked,
}

impl Failure for Refused {
    fn kind(&self) -> Kind {
        match self {
            Self::Banned(_) => Kind::Forbidden,
            Self::Revoked => TokenError::Bad.kind(),
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}

impl Standing {
    /// Lets the owner of a token in, or says why not.
    ///
    /// # Errors
    /// [`Refused::Banned`] while the user is banned, else [`Refused::Revoked`].
    pub fn admit(&self, claims: &Claims, now: DateTime<Utc>) -> Result<(), Refused> {
        self.admit_issued(claims.issued_at, now)
    }

    /// [`Standing::admit`], of a token that was issued in that Unix second, if it says so.
    ///
    /// # Errors
    /// As [`Standing::admit`].
    pub fn admit_issued(&self, issued_at: Option<i64>, now: DateTime<Utc>) -> Result<(), Refused> {
        if let Some(ban) = self.ban.as_ref().filter(|ban| ban.is_on(now.timestamp_millis())) {
            return Err(Refused::Banned(ban.text()));
        }
        let is_revoked =
            self.revoked_at.is_some_and(|revoked| issued_at.is_none_or(|issued| issued <= revoked));
        if is_revoked { Err(Refused::Revoked) } else { Ok(()) }
    }
}

impl Ban {
    /// Whether it holds at that time.
    #[must_use]
    pub fn is_on(&self, now_ms: i64) -> bool {
        self.until_ms == 0 || now_ms < self.until_ms
    }

    /// What the user is told.
    #[must_use]
    pub fn text(&self) -> String {
        let until = match DateTime::from_timestamp_millis(self.until_ms) {
            Some(until) if self.until_ms != 0 => {
                format!(" until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            _ => String::new(),
        };
        let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("you are banned{until}{reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(issued_at: Option<i64>) -> Claims {
        Claims { issued_at, ..Claims::default() }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap_or_default()
    }

    #[test]
    fn a_ban_holds_until_its_end_and_its_revocation_for_good() {
        let ban = Ban { until_ms: 2_000_000, reason: "spam".to_owned() };
        let standing = Standing { ban: Some(ban), revoked_at: Some(1000) };
        let refused = standing.admit(&claims(Some(1500)), at(1999)).expect_err("banned");
        assert_eq!(refused.to_string(), "you are banned until 1970-01-01T00:33:20Z: spam");
        assert!(standing.admit(&claims(Some(1500)), at(2000)).is_ok());
        for revoked in [None, Some(999), Some(1000)] {
            assert!(matches!(standing.admit(&claims(revoked), at(2000)), Err(Refused::Revoked)));
        }
        assert!(standing.admit(&claims(Some(1001)), at(2000)).is_ok());
    }

    #[test]
    fn a_ban_without_an_end_has_none() {
        let standing =
            Standing { ban: Some(Ban { until_ms: 0, reason: String::new() }), revoked_at: Some(0) };
        let refused = standing.admit(&claims(Some(1)), DateTime::<Utc>::MAX_UTC).expect_err("banned");
        assert_eq!(refused.to_string(), "you are banned");
    }
}
