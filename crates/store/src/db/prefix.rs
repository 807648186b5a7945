//! The search for texts that begin so: byte by byte, or whatever their case.
//!
//! Case is folded in one place, by whoever compares: on MySQL the server folds both the column and the
//! searched text, on SQLite a collation of ours does ([`fold_order`]). So a text that is searched as it is
//! written is found, whatever alphabet it is of, and however the two sides would fold it.

use std::cmp::Ordering;
use std::iter::Map;
use std::str::Chars;

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{IdenStatic, Value};

use super::dialect::Dialect;

/// Makes the character behind it plain. Not `\`, which is none in an SQL text where the server's mode is
/// NO_BACKSLASH_ESCAPES, and not a letter, which would be folded.
const ESCAPE: char = '|';

/// The name of the collation that ignores case on SQLite.
pub(super) const FOLDED: &str = "folded";

/// `text` with `%`, `_` and the escape character made plain, for a LIKE pattern with `ESCAPE '|'`.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | ESCAPE) {
            plain.push(ESCAPE);
        }
        plain.push(letter);
    }
    plain
}

impl Dialect {
    /// The condition that `column` begins with `text`, byte by byte, whatever the column's collation.
    pub fn starts_with(self, column: impl IdenStatic, text: &str) -> SimpleExpr {
        let column = self.bytewise(&format!("`{}`", column.as_str()));
        custom(format!("{column} LIKE ? ESCAPE '{ESCAPE}'"), [pattern(text).into()])
    }

    /// The condition that `column` begins with `text`, whatever the case of either.
    pub fn starts_with_folded(self, column: impl IdenStatic, text: &str) -> SimpleExpr {
        let column = format!("`{}`", column.as_str());
        match self {
            Self::MySql => {
                let folded = |text: &str| {
                    // At the end of a word a small sigma has another shape.
                    format!(
                        "REPLACE(LOWER(CONVERT({text} USING utf8mb4)), '\u{3c2}', '\u{3c3}') COLLATE utf8mb4_bin"
                    )
                };
                let sql = format!("{} LIKE {} ESCAPE '{ESCAPE}'", folded(&column), folded("?"));
                custom(sql, [pattern(text).into()])
            }
            Self::Sqlite => {
                let letters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                custom(format!("substr({column}, 1, ?) = ? COLLATE {FOLDED}"), [letters.into(), text.into()])
            }
        }
    }
}

fn pattern(text: &str) -> String {
    format!("{}%", escape_like(text))
}

fn custom(sql: String, values: impl IntoIterator<Item = Value>) -> SimpleExpr {
    Expr::cust_with_values(sql, values)
}

/// How texts compare that differ in case only: as equals. Letter by letter, so that equal texts have
/// equally many.
pub(super) fn fold_order(left: &str, right: &str) -> Ordering {
    folded(left).cmp(folded(right))
}

fn folded(text: &str) -> Map<Chars<'_>, fn(char) -> char> {
    text.chars().map(fold as fn(char) -> char)
}

/// The small letter of `letter`. Of `İ`, whose small form is two characters, the first.
fn fold(letter: char) -> char {
    match letter.to_lowercase().next() {
        Some('\u{3c2}') => '\u{3c3}',
        Some(small) => small,
        None => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_case_only_are_equal() {
        for (one, other) in [
            ("Été", "éTÉ"),
            ("МОСКВА", "москва"),
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
            ("İstanbul", "istanbul"),
            ("İ", "İ"),
            ("STRAßE", "straße"),
        ] {
            assert_eq!(fold_order(one, other), Ordering::Equal, "{one} {other}");
        }
        for (one, other) in [("é", "e"), ("a", "ab"), ("ı", "i"), ("😀", "🎤"), ("a", "a ")] {
            assert_ne!(fold_order(one, other), Ordering::Equal, "{one} {other}");
        }
    }
}
