//! Checks of text that several requests share, in the form that `garde` takes.

use std::collections::BTreeMap;

use icu_properties::props::{BinaryProperty, DefaultIgnorableCodePoint};

/// The flat string map that rooms, users and items carry.
pub type Extends = BTreeMap<String, String>;

/// What a column holds of `map`: its JSON text.
#[must_use]
pub fn extends_column(map: &Extends) -> String {
    // By way of a value, which always has a text.
    map.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect::<serde_json::Value>().to_string()
}

/// The map that a column holds; NULL, and what is none, are no map.
#[must_use]
pub fn extends_of_column(stored: Option<String>) -> Option<Extends> {
    stored.and_then(|json| serde_json::from_str(&json).ok())
}

/// Bytes that the JSON text of an `extends` may have: the width of its column.
pub const EXTENDS_MAX: usize = 1024;

/// Whether `id` may be the name of a user who is there: 1 to 64 characters, none of them a control character,
/// no space at the ends, and not `_`, which is the total in a room's like hash. New ones may less:
/// [`check_new_user_id`].
///
/// # Errors
/// Says what is wrong.
pub fn check_user_id(id: &str) -> Result<(), &'static str> {
    let chars = id.chars().count();
    if chars == 0 {
        Err("must not be empty")
    } else if chars > 64 {
        Err("has more than 64 characters")
    } else if id.chars().any(char::is_control) {
        Err("has a control character")
    } else if id.trim() != id {
        Err("has a space at an end")
    } else if id == "_" {
        Err("is reserved")
    } else {
        Ok(())
    }
}

/// Whether a user may be registered as `id`: as [`check_user_id`], and no question mark (no signature covers a path
/// with one), no character that turns the direction of writing, and something to see.
///
/// # Errors
/// Says what is wrong.
pub fn check_new_user_id(id: &str) -> Result<(), &'static str> {
    check_user_id(id)?;
    if id.contains('?') {
        Err("has a question mark")
    } else if id.contains(turns_the_direction) {
        Err(TURNS)
    } else if !id.contains(is_visible) {
        Err("has no visible character")
    } else {
        Ok(())
    }
}

/// [`check_new_user_id`] for `#[garde(custom(new_user_id))]`.
///
/// # Errors
/// Says what is wrong.
pub fn new_user_id(id: &str, _: &()) -> garde::Result {
    check_new_user_id(id).map_err(garde::Error::new)
}

/// Whether a nick or a title can be shown, for `#[garde(custom(shown))]`: no control character, none that turns the
/// direction of writing, and, unless it is empty, something to see.
///
/// # Errors
/// Says what is wrong.
pub fn shown(text: &str, _: &()) -> garde::Result {
    if text.contains(char::is_control) {
        Err(garde::Error::new("has a control character"))
    } else if text.contains(turns_the_direction) {
        Err(garde::Error::new(TURNS))
    } else if !text.is_empty() && !text.contains(is_visible) {
        Err(garde::Error::new("has no visible character"))
    } else {
        Ok(())
    }
}

/// Whether pages may take a picture, or follow a link, from `text`, for `#[garde(custom(web_address))]`: an address of
/// http or https, or one without a scheme, such as a path or the name of a file.
///
/// # Errors
/// Says what is wrong.
pub fn web_address(text: &str, _: &()) -> garde::Result {
    match scheme(text) {
        Some(scheme) if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") => {
            Err(garde::Error::new("has another scheme than http or https"))
        }
        _ => Ok(()),
    }
}

/// The scheme that a browser finds in an address (<https://url.spec.whatwg.org/#concept-basic-url-parser>): it skips
/// control characters and spaces before it, and tabs and line breaks within.
fn scheme(text: &str) -> Option<String> {
    let text = text.trim_start_matches(|c: char| c <= ' ');
    let (scheme, _) = text.split_once(':')?;
    let scheme: String = scheme.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let is_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_one.then_some(scheme)
}

/// Neither white space, nor a control character, nor one that is made to be invisible (zero width, fillers,
/// variation selectors; the blank of Braille).
fn is_visible(c: char) -> bool {
    let is_blank = c.is_whitespace() || c.is_control() || c == '\u{2800}';
    !is_blank && !DefaultIgnorableCodePoint::for_char(c)
}

const TURNS: &str = "has a character that turns the direction of writing";

/// The embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), with which one id looks like
/// another.
fn turns_the_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// [`check_user_id`] for `#[garde(custom(user_id))]`.
///
/// # Errors
/// Says what is wrong.
pub fn user_id(id: &str, _: &()) -> garde::Result {
    check_user_id(id).map_err(garde::Error::new)
}

/// Whether the JSON text of `extends` fits its column, for `#[garde(custom(extends))]`.
///
/// # Errors
/// Says how long it is.
pub fn extends(extends: &Option<Extends>, _: &()) -> garde::Result {
    extends.as_ref().map_or(Ok(()), |map| check_extends(map).map_err(garde::Error::new))
}

/// Whether the JSON text of `map` fits its column.
///
/// # Errors
/// Says how long it is.
pub fn check_extends(map: &Extends) -> Result<(), String> {
    let len = extends_column(map).len();
    if len > EXTENDS_MAX {
        Err(format!("takes {len} bytes as JSON, more than {EXTENDS_MAX}"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_gives_back_the_map_that_it_got() {
        let map = Extends::from([("b".to_owned(), "\"2\"".to_owned()), ("a".to_owned(), "é".to_owned())]);
        assert_eq!(extends_column(&map), r#"{"a":"é","b":"\"2\""}"#);
        assert_eq!(extends_of_column(Some(extends_column(&map))), Some(map));
        assert_eq!(extends_column(&Extends::new()), "{}");
        assert_eq!(extends_of_column(Some("[]".to_owned())), None);
        assert_eq!(extends_of_column(None), None);
    }

    #[test]
    fn new_ids_are_stricter_than_known_ones() {
        let invisible = "\u{200B}\u{2060}\u{FEFF}\u{3164}\u{FE0F}\u{2800}";
        for id in ["a?b", "a\u{202E}b", "\u{2066}a", invisible] {
            assert!(check_user_id(id).is_ok() && check_new_user_id(id).is_err(), "{id:?}");
        }
        for id in ["a\u{7}b", "a\u{85}b", " a", "", "_"] {
            assert!(check_user_id(id).is_err() && check_new_user_id(id).is_err(), "{id:?}");
        }
        // Joiners belong into words and emoji, and marks of direction into Arabic text.
        for id in ["bob", "李雷", "👩‍👩‍👧", "می‌خواهم", "a\u{200F}b", "a b", "a%b/c+d"]
        {
            assert_eq!(check_new_user_id(id), Ok(()), "{id:?}");
        }
    }

    #[test]
    fn what_is_shown_has_something_to_see_and_no_control() {
        for text in ["", "t", " t ", "😀", "لايف"] {
            assert!(shown(text, &()).is_ok(), "{text:?}");
        }
        for text in [
            "a\nb",
            "a\u{0}",
            "\u{9b}31m",
            " ",
            "\u{3000}",
            "\u{200B}",
            "\u{3164}\u{115F}",
            "a\u{202E}b",
            "\u{2066}",
        ] {
            assert!(shown(text, &()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn pictures_come_over_http_or_from_a_path() {
        let relative =
            ["", "a.png", "/covers/1.png?x=a:b", "//cdn/1", "./a:b", "1:2", "头像:1", "a b:c", "#a:b"];
        for text in relative.into_iter().chain(["http://h/1", "HTTPS://h:1/2?u=data:x"]) {
            assert!(web_address(text, &()).is_ok(), "{text:?}");
        }
        for text in [
            "javascript:alert(1)",
            "JavaScript:x",
            " data:image/png;base64,AA",
            "java\nscript:x",
            "\u{1}vbscript:x",
            "file:///etc",
            "ftp://h/a",
            "blob:http://h/1",
        ] {
            assert!(web_address(text, &()).is_err(), "{text:?}");
        }
    }
}
