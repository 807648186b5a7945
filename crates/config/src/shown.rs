//! The configuration as people may see it.

use serde_json::Value;

use super::Config;

/// What stands for a secret.
const MASK: &str = "***";

impl Config {
    /// The configuration as JSON, with masked secrets: also those in URLs.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        mask(&mut shown);
        shown
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = mask_url(text),
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Object(map) => map.values_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A URL without user and password, and without the values in its query; any other text as it is.
fn mask_url(text: &str) -> String {
    let Some((scheme, url)) = text.split_once("://") else { return text.to_owned() };
    // A password that was not encoded may hold anything, and a path or a query an `@`: rather too much is
    // masked.
    let url = match url.rsplit_once('@') {
        Some((_, rest)) => format!("{MASK}@{rest}"),
        None => url.to_owned(),
    };
    let Some((address, query)) = url.split_once('?') else { return format!("{scheme}://{url}") };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    format!("{scheme}://{address}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_are_masked() {
        let cases = [
            ("http://user:pass@host:1/x", "http://***@host:1/x"),
            ("https://host/path?token=abc&x=&y", "https://host/path?token=***&x=&y"),
            ("http://u:p/'\"w@h", "http://***@h"),
            ("redis://:p@h/1", "redis://***@h/1"),
            ("me@host, 1", "me@host, 1"),
            ("rtmp://host", "rtmp://host"),
        ];
        for (text, wanted) in cases {
            assert_eq!(mask_url(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_shown_configuration_has_no_secret() {
        let mut config = Config::for_testing();
        config.callback.addr = "https://user:hidden@host/hook?key=hidden".to_owned();
        config.account.secret_key = super::super::Secret::new("hidden");
        let shown = config.shown();
        assert_eq!(shown["callback"]["addr"], "https://***@host/hook?key=***");
        assert_eq!(shown["account"]["secret_key"], "***");
        assert!(!shown.to_string().contains("hidden") && !config.to_string().contains("hidden"));
    }
}
