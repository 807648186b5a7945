//! The query of a signed publish URL, as Go's `net/url` reads and writes it.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Go's `url.QueryEscape` leaves letters, digits and `-_.~` alone.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The parameters of a query, in the order of the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`, with or without a leading `?`. Empty pairs are skipped.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        let pairs = form_pairs(text).collect();
        Self(pairs)
    }

    /// The value of `key`; `None` when it is absent or stands there more than once.
    #[must_use]
    pub fn single(&self, key: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether `key` stands there at all.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    /// Replaces every `key` by one with `value`.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.remove(key);
        self.0.push((key.to_owned(), value.into()));
    }

    /// Removes every `key`.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// Removes the first `key`.
    pub fn remove_first(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// The query as `url.Values.Encode` writes it: sorted by key, values of one key in their order.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut pairs: Vec<_> = self.0.iter().collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut text = String::new();
        for (key, value) in pairs {
            let separator = if text.is_empty() { "" } else { "&" };
            // Writing to a String does not fail.
            let _ = write!(text, "{separator}{}={}", escape(key), escape(value));
        }
        text
    }
}

fn form_pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(key), unescape(value))
    })
}

fn unescape(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn escape(text: &str) -> String {
    // A literal plus is %2B by now, so that every %20 was a space.
    utf8_percent_encode(text, ESCAPED).to_string().replace("%20", "+")
}
