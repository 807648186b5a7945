//! Checks of text that several requests share, in the form that `garde` takes.

use std::collections::BTreeMap;

/// The flat string map that rooms, users and items carry.
pub type Extends = BTreeMap<String, String>;

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
    let len = serde_json::to_string(map).map_or(usize::MAX, |json| json.len());
    if len > EXTENDS_MAX {
        Err(format!("takes {len} bytes as JSON, more than {EXTENDS_MAX}"))
    } else {
        Ok(())
    }
}
