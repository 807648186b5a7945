//! What a failure means to a caller, independent of any transport.
//!
//! Each feature has its own `thiserror` enum and says through [`Failure`] which [`Kind`] each
//! variant is; `rest` alone turns a kind into an HTTP status and an error code.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// How long a caller has to wait, in words for them: tenths of a second, whole ones from ten on, rounded up.
#[derive(Clone, Copy, Debug)]
pub struct Wait(pub Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_nanos().div_ceil(100_000_000).max(1);
        if tenths < 100 && !tenths.is_multiple_of(10) {
            write!(f, "{}.{} s", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} s", tenths.div_ceil(10))
        }
    }
}

/// What went wrong, in the terms of the HTTP API's error table (docs/api.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Malformed or invalid input; the message names the field and the reason.
    Invalid,
    /// No credentials, or bad ones.
    Unauthorized,
    /// A client token past its `exp`.
    TokenExpired,
    /// A valid identity that may not do this.
    Forbidden,
    /// Unknown resource or route.
    NotFound,
    /// The body is over the limit.
    TooLarge,
    /// The body took too long to arrive.
    TooSlow,
    /// Too many requests; try again after this long.
    RateLimited(Duration),
    /// The server has too much to do; try again after this long.
    Busy(Duration),
    /// The resource is in a state that does not allow this.
    State,
    /// The user or item exists already.
    AlreadyExists,
    /// A room has as many items as it may have.
    ItemsExceeded,
    /// A gift was not paid, or it is not known yet whether it was.
    Unpaid {
        /// The HTTP status, `gift.unpaid_status`.
        status: u16,
        /// The payment service's own code, or 20002.
        code: i64,
    },
    /// Bad manager name or password (the same answer for both).
    LoginFailed,
    /// A heartbeat by someone who is not in the room.
    NotInRoom,
    /// The database, the cache or the IM service cannot be reached.
    Unavailable,
    /// The server is up, and the message says what it waits for.
    NotReady,
    /// Anything else; its text stays in the log.
    Internal,
}

/// An error that knows what it means to the caller.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// What the failure means.
    fn kind(&self) -> Kind;

    /// The text shown to the caller. Not used for [`Kind::Unavailable`] and [`Kind::Internal`],
    /// whose text may hold internal details.
    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }

    /// Whether the log should tell of it as an error, where the status is one of the server's.
    fn is_fault(&self) -> bool {
        self.kind() != Kind::NotInRoom
    }

    /// How long the caller is to wait before another attempt, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            Kind::RateLimited(wait) | Kind::Busy(wait) => Some(wait),
            _ => None,
        }
    }

    /// What the answer carries as `data`, where a failure has something to tell beside its text.
    fn data(&self) -> Option<serde_json::Value> {
        None
    }
}

/// An error with its causes, for the log: `the outer one: its cause: the cause of that`.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_and_never_as_none() {
        let told = |micros: u64| Wait(Duration::from_micros(micros)).to_string();
        let waits = [(0, "0.1 s"), (1, "0.1 s"), (120_000, "0.2 s"), (950_000, "1 s"), (1_000_000, "1 s")];
        for (micros, text) in
            waits.into_iter().chain([(2_410_000, "2.5 s"), (10_010_000, "11 s"), (60_000_000, "60 s")])
        {
            assert_eq!(told(micros), text, "{micros}");
        }
    }
}
