//! `callback`: the business service that is told of events.

use serde::{Serialize, Serializer};

use super::Secret;
use super::auth::first_and_further;
use super::section::Section;

/// `callback`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallbackConfig {
    /// Where events are posted; empty: nowhere.
    pub addr: String,
    /// Sign the posts (Standard Webhooks), each in its own signature; two during rotation.
    #[serde(flatten, serialize_with = "as_secrets")]
    pub secrets: Vec<Secret>,
    /// Seconds to wait for an answer.
    pub timeout_s: u64,
    /// Attempts before an event is kept as failed.
    pub max_attempts: u32,
}

fn as_secrets<S: Serializer>(secrets: &[Secret], serializer: S) -> Result<S::Ok, S::Error> {
    first_and_further(["secret", "secrets"], secrets).serialize(serializer)
}

impl Default for CallbackConfig {
    fn default() -> Self {
        Self { addr: String::new(), secrets: Vec::new(), timeout_s: 5, max_attempts: 8 }
    }
}

impl CallbackConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let mut secrets = vec![section.signing_key("secret")];
        let further = section.signing_keys("secrets", None);
        let unusable = "begins with whsec_, but what follows is not base64";
        if secrets.iter().any(|secret| secret.webhook_key().is_none()) {
            section.error("secret", unusable);
        }
        for (index, _) in further.iter().enumerate().filter(|(_, secret)| secret.webhook_key().is_none()) {
            section.error_of_item("secrets", index, format!("{unusable} (number {} of the list)", index + 1));
        }
        secrets.extend(further);
        secrets.retain(|secret| !secret.is_empty());
        Self {
            addr: section.address("addr", ""),
            secrets,
            timeout_s: section.number("timeout_s", default.timeout_s, 1..=300),
            max_attempts: section.number("max_attempts", default.max_attempts, 1..=100),
        }
    }
}
