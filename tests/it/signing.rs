//! Signatures, tokens, passwords and stream addresses: the vectors that bind this server to Qiniu's
//! services, and what must be refused.

mod media;
mod password;
mod publish;
mod request;
mod token;

use chrono::{DateTime, Utc};
use config::Secret;
use liveloom::auth::Credentials;

/// 2020-09-13 12:26:40 UTC, when the tests take place.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_600_000_000, 0).unwrap()
}

fn keys() -> Credentials {
    Credentials { access_key: "ak".to_owned(), secret_key: Secret::new("sk") }
}
