//! Patterns for LIKE that mean text literally.

use sea_orm::sea_query::{ColumnRef, Expr, ExprTrait, IntoColumnRef, LikeExpr, SimpleExpr};

/// `text` with `%`, `_` and the escape character itself made plain, for a LIKE pattern with
/// `ESCAPE '\'`.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// The condition that `column` begins with `text`, on both dialects. Upper and lower case are told
/// apart as the column's collation does (SQLite's LIKE ignores case for ASCII letters).
pub fn starts_with<C: IntoColumnRef>(column: C, text: &str) -> SimpleExpr {
    let column: ColumnRef = column.into_column_ref();
    Expr::col(column).like(LikeExpr::new(format!("{}%", escape_like(text))).escape('\\'))
}
