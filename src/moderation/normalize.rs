//! Text as banned words are looked for in it: one spelling for what readers take for the same.

use unicode_normalization::UnicodeNormalization as _;

use common::json::{self, TooDeep};

/// Stands between texts that do not belong together; it stays in normalised text, and no word has it.
pub const BOUNDARY: char = '\u{ffff}';

/// `text` in compatibility form (NFKC), without differences of case, and without what can be put
/// between the letters of a word: spaces, invisible characters, dots and dashes, stacked marks.
#[must_use]
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().filter(|&c| !is_filler(c)).map(|c| c.to_ascii_lowercase()).collect();
    }
    let plain: String = text.nfkc().filter(|&c| !is_filler(c)).flat_map(fold).collect();
    // What stood between two characters may have kept them from being composed.
    let composed: String = plain.nfkc().filter(|&c| !is_filler(c) && !is_mark(c)).flat_map(fold).collect();
    composed.nfkc().collect()
}

/// All texts within the valid JSON `data`, but for the names of fields, which nobody sees, with a [`BOUNDARY`]
/// after each.
///
/// # Errors
/// When it is nested too deeply.
pub fn texts_of(data: &str) -> Result<String, TooDeep> {
    let mut all = String::new();
    json::each_text(data, |text| {
        all.push_str(text);
        all.push(BOUNDARY);
    })?;
    Ok(all)
}

/// Folds differences of case: by way of upper case, so that `ß` and `ss`, `ς` and `σ` are one.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// Characters that only stand between others, visible or not.
fn is_filler(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_invisible(c) || is_separator(c)
}

/// `Default_Ignorable_Code_Point` of Unicode, and the Braille blank.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Dots, dashes, strokes, quotes and the like. Not those that words are written with (`@`, `$`, `+`,
/// `#`, `!`).
fn is_separator(c: char) -> bool {
    matches!(c,
        '.' | ',' | ':' | ';' | '-' | '_' | '*' | '\'' | '"' | '`' | '^' | '~' | '|' | '/' | '\\'
        | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>'
        | '\u{a8}' | '\u{af}' | '\u{b4}' | '\u{b7}' | '\u{b8}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
        | '\u{2190}'..='\u{21ff}' | '\u{22c5}' | '\u{2500}'..='\u{259f}' | '\u{25a0}'..='\u{25ff}'
        | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{30fb}' | '\u{ff5e}')
}

/// Accents that did not compose with the letter before: the stuff of stacked marks. Those that
/// scripts are written with stay.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_a_word_are_one() {
        for text in [
            "Badword",
            "BADWORD",
            "b a d w o r d",
            "b.a-d_w*o/r\\d",
            "b\u{200b}a\u{200d}d\u{feff}word",
            "ｂａｄｗｏｒｄ",
            "𝓫𝓪𝓭𝔀𝓸𝓻𝓭",
            "ⓑⓐⓓⓦⓞⓡⓓ",
            "b\u{ad}ad\u{202e}word",
            "b\u{336}a\u{336}d\u{489}word",
        ] {
            assert_eq!(normalize(text), "badword", "{text:?}");
        }
        assert_eq!(normalize("Straße"), normalize("STRASSE"));
        assert_eq!(normalize("ΣΊΣΥΦΟΣ"), normalize("σίσυφος"));
        assert_eq!(normalize("İstanbul"), "istanbul");
        // Composed or not, and with something between.
        assert_eq!(normalize("é"), normalize("e\u{301}"));
        assert_eq!(normalize("é"), normalize("e\u{200b}\u{301}"));
        assert_ne!(normalize("é"), normalize("e"));
        assert_eq!(normalize("敏 感・词"), "敏感词");
        assert_eq!(normalize("c++ C#"), "c++c#");
        assert_eq!(normalize(" \u{200b}.-\t"), "");
    }

    #[test]
    fn all_strings_count_and_do_not_run_together() {
        let data = r#"{"content": "bad", "list": ["word", 5e999, {"deep": "x"}, "cut \ud83d"]}"#;
        let text = normalize(&texts_of(data).unwrap());
        for word in ["bad", "word", "x", "cut"] {
            assert!(text.contains(word), "{text:?}");
        }
        assert!(!text.contains("badword") && !text.contains("content"), "{text:?}");
        assert_eq!(texts_of("null"), Ok(String::new()));
    }

    proptest! {
        #[test]
        fn normalised_text_stays_as_it_is(text in any::<String>()) {
            let once = normalize(&text);
            prop_assert_eq!(normalize(&once), once);
        }

        #[test]
        fn what_stands_between_the_letters_does_not_matter(
            word in "[a-z\u{e0}-\u{f6}\u{3b1}-\u{3c1}\u{4e00}-\u{4e20}]{1,12}",
            fillers in prop::collection::vec(
                prop::sample::select(vec!["", " ", "\u{200b}", ".", "\u{2060}", "-", "\u{3000}", "\u{fe0f}", "\t"]), 13),
        ) {
            let mut apart = String::new();
            for (letter, filler) in word.chars().zip(&fillers) {
                apart.push(letter);
                apart.push_str(filler);
            }
            prop_assert_eq!(normalize(&apart), normalize(&word));
            prop_assert_eq!(normalize(&apart.to_uppercase()), normalize(&word));
        }

        #[test]
        fn fillers_never_stay(text in any::<String>()) {
            prop_assert!(!normalize(&text).chars().any(is_filler));
        }
    }
}
