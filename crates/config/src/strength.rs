//! Secrets that protect nothing: placeholders of our own files, and keys that can be guessed.

use super::Secret;
use super::section::Section;

/// What stands in our own files in the place of a secret (`.env.example`, `deploy/kubernetes`, the documents).
/// A configuration that still holds one of these is refused.
pub const PLACEHOLDERS: [&str; 2] = ["change-me", "…"];

/// A key of fewer bytes can be found by trying (RFC 2104 section 3 wants those of the hash).
const SHORTEST_KEY: usize = 16;

/// Whether `text` is one of [`PLACEHOLDERS`], however it is spelled.
fn is_placeholder(text: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let plain = letters(text);
    PLACEHOLDERS.iter().any(|known| text.trim() == *known || (!plain.is_empty() && plain == letters(known)))
}

impl Section<'_> {
    /// A password or token, which is never shown; empty when absent.
    pub fn secret(&self, key: &'static str) -> Secret {
        let secret = Secret::new(self.scalar(key).unwrap_or_default());
        self.check_secret(key, secret.expose());
        secret
    }

    /// A secret that signs; empty when absent.
    pub fn signing_key(&self, key: &'static str) -> Secret {
        let secret = self.secret(key);
        self.check_length(key, &secret);
        secret
    }

    /// Several secrets that sign: a list, or a single one.
    pub fn signing_keys(&self, key: &'static str) -> Vec<Secret> {
        let texts = self.items(key, |text| vec![text.to_owned()]);
        let secrets: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).map(Secret::new).collect();
        for secret in &secrets {
            self.check_secret(key, secret.expose());
            self.check_length(key, secret);
        }
        secrets
    }

    /// The public half of a pair of keys.
    pub fn access_key(&self, key: &'static str) -> String {
        let text = self.text(key, "");
        self.check_secret(key, &text);
        text
    }

    /// Warns of a secret that everybody knows who has seen a certain file.
    pub fn warn_of_sample(&self, key: &'static str, text: &str) {
        self.warn_weak(key, format!("is the sample's: {text}"));
    }

    fn check_secret(&self, key: &'static str, text: &str) {
        if is_placeholder(text) {
            let text = "still is the placeholder of the example: put a secret of your own here, such as \
                        `openssl rand -hex 24` makes";
            self.error(key, text);
        } else if text.trim() != text {
            self.warn(key, "begins or ends with white space or a line break, which counts as a part of it");
        }
    }

    fn check_length(&self, key: &'static str, secret: &Secret) {
        let bytes = secret.webhook_key().unwrap_or_default().len();
        if (1..SHORTEST_KEY).contains(&bytes) {
            let text = format!(
                "has {bytes} bytes only: whoever sees what it signs can find it by trying. \
                                Take at least {SHORTEST_KEY}, such as `openssl rand -hex 24` makes"
            );
            self.warn_weak(key, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_known_however_it_is_spelled() {
        for text in ["change-me", "CHANGE_ME", "changeme", " change me\n", "…"] {
            assert!(is_placeholder(text), "{text:?}");
        }
        for text in ["", "-", "change-me-not", "exchange-me", "sk"] {
            assert!(!is_placeholder(text), "{text:?}");
        }
    }
}
