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
        if let Some(text) = too_short(&secret) {
            self.warn_weak(key, text);
        }
        secret
    }

    /// Several secrets that sign: a list, or a single one. `sample`, if any, is one that everybody knows, and what
    /// that means.
    pub fn signing_keys(&self, key: &'static str, sample: Option<(&str, &str)>) -> Vec<Secret> {
        let texts = self.items(key, |text| vec![text.to_owned()]);
        let secrets: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).map(Secret::new).collect();
        for (index, secret) in secrets.iter().enumerate() {
            let number = index + 1;
            match misfit(secret.expose()) {
                Some(Misfit::Placeholder) => {
                    self.error_of_item(key, index, format!("{PLACEHOLDER} (number {number} of the list)"));
                }
                Some(Misfit::Space) => self.warn(key, format!("{SPACE} (number {number} of the list)")),
                None => {}
            }
            let known = sample.filter(|(known, _)| secret.expose() == *known);
            let weak =
                known.map(|(_, text)| format!("is the sample's: {text}")).or_else(|| too_short(secret));
            if let Some(text) = weak {
                self.warn_weak_item(key, index, format!("{text} (number {number} of the list)"));
            }
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
        match misfit(text) {
            Some(Misfit::Placeholder) => self.error(key, PLACEHOLDER),
            Some(Misfit::Space) => self.warn(key, SPACE),
            None => {}
        }
    }
}

/// What a secret must not be, and hardly is on purpose.
enum Misfit {
    Placeholder,
    Space,
}

const PLACEHOLDER: &str = "still is the placeholder of the example: put a secret of your own here, such as \
                           `openssl rand -hex 24` makes";
const SPACE: &str = "begins or ends with white space or a line break, which counts as a part of it";

fn misfit(text: &str) -> Option<Misfit> {
    if is_placeholder(text) {
        Some(Misfit::Placeholder)
    } else {
        (text.trim() != text).then_some(Misfit::Space)
    }
}

fn too_short(secret: &Secret) -> Option<String> {
    let bytes = secret.webhook_key().unwrap_or_default().len();
    (1..SHORTEST_KEY).contains(&bytes).then(|| {
        format!(
            "has {bytes} bytes only: whoever sees what it signs can find it by trying. Take one of at least \
             {SHORTEST_KEY} bytes: `openssl rand -hex 24` makes one"
        )
    })
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
