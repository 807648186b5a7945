//! `callback`: the business service that is told of events.

use serde::Serialize;

use super::Secret;
use super::section::Section;

/// `callback`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallbackConfig {
    /// Where events are posted; empty: nowhere.
    pub addr: String,
    /// Sign the posts (Standard Webhooks), each in its own signature; two during rotation.
    pub secrets: Vec<Secret>,
    /// Seconds to wait for an answer.
    pub timeout_s: u64,
    /// Attempts before an event is kept as failed.
    pub max_attempts: u32,
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
        let further = section.signing_keys("secrets");
        for (key, given) in [("secret", secrets.as_slice()), ("secrets", further.as_slice())] {
            if given.iter().any(|secret| secret.webhook_key().is_none()) {
                section.error(key, "begins with whsec_, but what follows is not base64");
            }
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
