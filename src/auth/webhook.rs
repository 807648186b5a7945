//! Signs calls to services of the operator's own as Standard Webhooks 1.0.0 demands
//! (<https://www.standardwebhooks.com>): `webhook-id`, `webhook-timestamp`, `webhook-signature`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::Secret;

/// What a secret begins with whose rest is base64.
const PREFIX: &str = "whsec_";

/// The headers of a call, as names and values; none without a secret.
///
/// Each of `secrets` signs by itself, so that a receiver that knows one of them is content. `id` names
/// what is told, and is the same in every repetition.
#[must_use]
pub fn headers(secrets: &[Secret], id: &str, at: DateTime<Utc>, body: &[u8]) -> Vec<(&'static str, String)> {
    let timestamp = at.timestamp().to_string();
    let signatures: Vec<String> = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .filter_map(|secret| signature(secret, id, &timestamp, body))
        .collect();
    if signatures.is_empty() {
        return Vec::new();
    }
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signatures.join(" ")),
    ]
}

fn signature(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// `whsec_` and base64, or the bytes of the text.
fn key(secret: &Secret) -> Vec<u8> {
    let text = secret.expose();
    let decoded = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn the_published_example_is_met() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap_or_default();
        let signed = headers(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.last(), Some(&("webhook-signature", expected.to_owned())));
    }

    #[test]
    fn each_secret_signs_and_none_signs_nothing() {
        let at = DateTime::from_timestamp(1, 0).unwrap_or_default();
        assert!(headers(&[], "1", at, b"{}").is_empty());
        assert!(headers(&[Secret::default()], "1", at, b"{}").is_empty());
        let signed = headers(&[Secret::new("a"), Secret::new("b")], "1", at, b"{}");
        assert_eq!(signed.last().map(|(_, value)| value.split(' ').count()), Some(2));
    }
}
