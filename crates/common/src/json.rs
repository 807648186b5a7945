//! JSON as others write it: with a byte order mark, with text that was cut inside a character, deeply nested.

use std::borrow::Cow;

/// How deep objects and lists may lie within each other, as with `serde_json`.
pub const MAX_DEPTH: usize = 128;

/// What some Windows programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The digits of U+FFFD, in place of half a character.
const REPLACEMENT: &[u8; 4] = b"fffd";
/// Characters of `\ud83d`.
const ESCAPE_LEN: usize = 6;

/// JSON that is nested deeper than [`MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is nested more than {MAX_DEPTH} deep")]
pub struct TooDeep;

/// `text` as a parser takes it: without a byte order mark, and with U+FFFD in place of half a surrogate pair,
/// which is what is left of an emoji that was cut in UTF-16. Go's parser does the same.
#[must_use]
pub fn readable(text: &[u8]) -> Cow<'_, [u8]> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b'\\')) {
        at += found;
        match (surrogate(text, at), surrogate(text, at + ESCAPE_LEN)) {
            (None, _) => at += 2,
            (Some(Half::First), Some(Half::Second)) => at += 2 * ESCAPE_LEN,
            (Some(_), _) => {
                let mended = mended.get_or_insert_with(|| text.to_vec());
                if let Some(digits) = mended.get_mut(at + 2..at + ESCAPE_LEN) {
                    digits.copy_from_slice(REPLACEMENT);
                }
                at += ESCAPE_LEN;
            }
        }
    }
    mended.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether `text` begins as an object does, behind a byte order mark and white space.
#[must_use]
pub fn is_object(text: &[u8]) -> bool {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start().starts_with(b"{")
}

/// A half of a surrogate pair.
#[derive(Clone, Copy)]
enum Half {
    First,
    Second,
}

/// Whether such an escape begins at `at`.
fn surrogate(text: &[u8], at: usize) -> Option<Half> {
    let digits = text.get(at..at + ESCAPE_LEN)?.strip_prefix(b"\\u")?;
    match u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()? {
        0xd800..=0xdbff => Some(Half::First),
        0xdc00..=0xdfff => Some(Half::Second),
        _ => None,
    }
}

/// Checks how deep `text` is nested, without a look at anything else. What is deeper is left after that many
/// bytes.
///
/// # Errors
/// [`TooDeep`].
pub fn check_depth(text: &[u8]) -> Result<(), TooDeep> {
    let mut depth: usize = 0;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => rest = rest.get(string_len(rest)..).unwrap_or_default(),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
    }
    Ok(())
}

/// Shows all texts within valid JSON, but for the names of fields; numbers are not read. Half a surrogate pair
/// shows as U+FFFD.
///
/// # Errors
/// [`TooDeep`].
pub fn each_text(json: &str, mut show: impl FnMut(&str)) -> Result<(), TooDeep> {
    let json = readable(json.as_bytes());
    check_depth(&json)?;
    let mut rest: &[u8] = &json;
    while let Some(start) = rest.iter().position(|&byte| byte == b'"') {
        let inside = rest.get(start + 1..).unwrap_or_default();
        let end = start + 1 + string_len(inside);
        let text = rest.get(start..end).unwrap_or_default();
        rest = rest.get(end..).unwrap_or_default();
        if rest.trim_ascii_start().first() == Some(&b':') {
            continue;
        }
        if let Ok(text) = serde_json::from_slice::<String>(text) {
            show(&text);
        }
    }
    Ok(())
}

/// Bytes of a string and its closing quote; `text` begins after the opening one.
fn string_len(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match text.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable_text(text: &str) -> String {
        String::from_utf8_lossy(&readable(text.as_bytes())).into_owned()
    }

    #[test]
    fn half_a_character_becomes_a_replacement() {
        for (text, wanted) in [
            (r#"{"a":"x\ud83d"}"#, r#"{"a":"x\ufffd"}"#),
            (r#""\uD83D\ud83d\uDE00\ude00""#, r#""\ufffd\ud83d\uDE00\ufffd""#),
            (r#""\ud83dA\u0041""#, r#""\ufffdA\u0041""#),
            (r#""\\ud83d \" \\\ud83d""#, r#""\\ud83d \" \\\ufffd""#),
            (r#""\ud83d\ude0""#, r#""\ufffd\ude0""#),
            (r#""\ud8"#, r#""\ud8"#),
            ("\u{feff}{}", "{}"),
            ("\\", "\\"),
        ] {
            assert_eq!(readable_text(text), wanted, "{text}");
        }
        assert!(matches!(readable(br#"{"a":"\n"}"#), Cow::Borrowed(_)), "what is fine is not copied");
    }

    #[test]
    fn depth_is_that_of_lists_and_objects() {
        let nests = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check_depth(nests(MAX_DEPTH).as_bytes()), Ok(()));
        assert_eq!(check_depth(nests(MAX_DEPTH + 1).as_bytes()), Err(TooDeep));
        assert_eq!(
            check_depth(format!(r#"["{}\"{}"]"#, "[".repeat(500), "[".repeat(500)).as_bytes()),
            Ok(())
        );
        assert_eq!(check_depth("[],".repeat(1000).as_bytes()), Ok(()));
    }

    #[test]
    fn texts_are_found_wherever_they_are() {
        let mut found = Vec::new();
        let json = r#"{"name": "a", "n" : 1e999, "list":["b\"", {"x" :"\ud83d"}, -0.5, null, "c:"]}"#;
        assert_eq!(each_text(json, |text| found.push(text.to_owned())), Ok(()));
        assert_eq!(found, ["a", "b\"", "\u{fffd}", "c:"]);
        assert_eq!(each_text(&"[".repeat(200), |_| ()), Err(TooDeep));
    }
}
