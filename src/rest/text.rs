//! Checks of text that several requests share, in the form that `garde` takes.

use std::collections::BTreeMap;

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

/// Whether `id` may name a user: 1 to 64 characters, none of them a control character, no space
/// at the ends, and not `_`, which is the total in a room's like hash.
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
}
