//! Text that must not be shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

/// What stands for a secret wherever a configuration is shown.
const MASK: &str = "***";

/// How a secret begins whose rest is base64 (Standard Webhooks 1.0.0, "Symmetric signatures").
const WEBHOOK_PREFIX: &str = "whsec_";

/// A password, key or token. `Debug`, `Display` and `Serialize` mask it; [`Secret::expose`] hands it out.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key of Standard Webhooks that this is: `whsec_` and base64, or any other text as it is. None
    /// when what follows `whsec_` is not base64.
    #[must_use]
    pub fn webhook_key(&self) -> Option<Vec<u8>> {
        match self.0.strip_prefix(WEBHOOK_PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()),
            None => Some(self.0.clone().into_bytes()),
        }
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { MASK }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}
