//! Signs calls to the business service as Standard Webhooks 1.0.0 demands
//! (<https://github.com/standard-webhooks/standard-webhooks>, "Webhook Signatures").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use config::Secret;

/// Version and algorithm of a signature.
const SCHEME: &str = "v1,";

/// Signs with each of its keys. Cheap to clone where it is shared; `Debug` shows no key.
#[derive(Clone)]
pub struct WebhookSigner {
    keys: Vec<Hmac<Sha256>>,
}

impl std::fmt::Debug for WebhookSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSigner").field("keys", &self.keys.len()).finish()
    }
}

impl WebhookSigner {
    /// Signs with these secrets, all of them, so that one can be replaced by another. Those that are
    /// no keys are left out; the configuration has refused them.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let keys = secrets.iter().filter(|secret| !secret.is_empty()).filter_map(Secret::webhook_key);
        Self { keys: keys.filter_map(|key| Hmac::new_from_slice(&key).ok()).collect() }
    }

    /// The header `webhook-signature` for a message, `timestamp` in Unix seconds: a signature for each
    /// key, with a space between. None without a key.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        let signatures = self.keys.iter().map(|key| {
            let mut mac = key.clone();
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            format!("{SCHEME}{}", STANDARD.encode(mac.finalize().into_bytes()))
        });
        let signatures: Vec<String> = signatures.collect();
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }
}
