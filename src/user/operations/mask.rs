//! Takes secrets out of what is logged.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use common::json;

/// What stands for a secret.
const MASK: &str = "***";

/// A name that holds one of these, whatever its case and punctuation, is a secret's.
const PARTS: [&str; 10] = [
    "password",
    "passwd",
    "pwd",
    "token",
    "secret",
    "authorization",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
];
/// These names are secrets' as a whole.
const NAMES: [&str; 6] = ["sign", "signature", "jwt", "key", "sk", "cookie"];

/// A query or a form with its secrets masked.
pub fn pairs(text: &str) -> String {
    let masked = text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(&percent_decode_str(name).decode_utf8_lossy()) => {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}

/// A body with its secrets masked at any depth. Of one that cannot be read only the size is told: a
/// secret in it could not be found.
pub fn body(content_type: &str, bytes: &[u8]) -> String {
    if let Ok(mut value) = serde_json::from_slice::<Value>(&json::readable(bytes)) {
        hide(&mut value);
        return value.to_string();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if content_type.starts_with("application/x-www-form-urlencoded") => pairs(text),
        _ => format!("({} bytes that are not JSON)", bytes.len()),
    }
}

/// `serde_json` bounds the nesting at 128, so the recursion is bounded too.
fn hide(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                if is_secret(name) { *value = MASK.into() } else { hide(value) }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(hide),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str()) || PARTS.iter().any(|part| plain.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let text = r#"{"a":[{"Pass_Word":"x","b":{"access-token":["y"],"c":1}}],"newPassword":2,"name":"z"}"#;
        let masked =
            r#"{"a":[{"Pass_Word":"***","b":{"access-token":"***","c":1}}],"newPassword":"***","name":"z"}"#;
        assert_eq!(body("", text.as_bytes()), masked);
    }

    #[test]
    fn secrets_are_masked_in_queries_and_forms() {
        assert_eq!(
            pairs("a=1&pass%77ord=x&sign=y&design=z&token"),
            "a=1&pass%77ord=***&sign=***&design=z&token"
        );
        assert_eq!(pairs(""), "");
        assert_eq!(body("application/x-www-form-urlencoded", b"user=a&pwd=b"), "user=a&pwd=***");
    }

    #[test]
    fn nothing_is_told_of_what_cannot_be_read() {
        for text in [br#"{"password":"x"#.as_slice(), b"password=x", b"\xff\xfe"] {
            let told = body("application/json", text);
            assert_eq!(told, format!("({} bytes that are not JSON)", text.len()));
        }
    }
}
