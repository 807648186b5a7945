//! Which of the logged statements are a request's own, and which consumers and jobs have sent meanwhile.
//!
//! Consumers are kept from working on events while requests are counted ([`crate::lanes`]), yet they look for work,
//! and jobs do theirs. These statements are known by their texts. What is left out is reported beside what is
//! counted, so that nothing is hidden; what no rule knows counts.

use std::collections::BTreeMap;

use super::statements::Logged;

/// A statement whose shape holds one of these is none of a request's.
const BACKGROUND: [&str; 9] = [
    // Consumers of events look for work (src/event/lanes.rs), and so do jobs.
    " AS due FROM ",
    "SKIP LOCKED",
    // Which node is which, and who leads.
    "leader_lease",
    "node_registry",
    // Jobs: who was heard, likes, gifts without an outcome.
    "SET `last_heartbeat_at` = ",
    "SET `heart_beat_at` = ",
    "INSERT INTO stats_single_live (",
    "UPDATE JSON_TABLE(",
    "COUNT(`next_ask_ms`)",
];
const TRANSACTION: [&str; 4] = ["BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION"];
/// Longer shapes are cut: lists of columns say little.
const SHOWN: usize = 110;

/// Numbers of statements by shape.
pub type Shapes = BTreeMap<String, u64>;

/// Statements that were logged while requests were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributed {
    /// The requests' own.
    pub own: Shapes,
    /// Those of consumers and jobs.
    pub left_out: Shapes,
}

impl Attributed {
    /// Sorts `logged`. Transaction control is no statement.
    pub fn of(logged: &[Logged]) -> Self {
        let mut attributed = Self::default();
        for statement in logged {
            let shape = shape(&statement.text);
            if TRANSACTION.contains(&shape.to_uppercase().as_str()) {
                continue;
            }
            let is_own = is_own_shape(&shape);
            let shapes = if is_own { &mut attributed.own } else { &mut attributed.left_out };
            *shapes.entry(cut(&shape)).or_default() += 1;
        }
        attributed
    }

    /// The requests' own by kind (`select`, `insert`, …).
    pub fn kinds(&self) -> Vec<(String, u64)> {
        let kind = |shape: &str| shape.split(' ').next().unwrap_or_default().to_lowercase();
        self.own.iter().map(|(shape, total)| (kind(shape), *total)).collect()
    }

    /// How many statements are the requests' own.
    pub fn statements(&self) -> u64 {
        self.own.values().sum()
    }
}

/// Whether a statement is a request's own.
pub fn is_own(statement: &Logged) -> bool {
    is_own_shape(&shape(&statement.text))
}

fn is_own_shape(shape: &str) -> bool {
    !BACKGROUND.iter().any(|mark| shape.contains(mark))
}

/// The statement without its values, in one line. MariaDB logs some statements with their values and some, which
/// were prepared before the log began, without: both have one shape.
fn shape(text: &str) -> String {
    let mut shape = String::with_capacity(text.len().min(4096));
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        let in_name = shape.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '`');
        match char {
            '\'' => {
                skip_text(&mut rest);
                shape.push('?');
            }
            '0'..='9' if !in_name => {
                while rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '.').is_some() {}
                shape.push('?');
            }
            _ if char.is_whitespace() => {
                if !shape.ends_with(' ') {
                    shape.push(' ');
                }
            }
            _ => shape.push(char),
        }
    }
    let mut shape = shape.trim().replace("TIMESTAMP?", "?").replace("= NULL", "= ?").replace("(NULL", "(?");
    for (list, one) in [(", NULL", ", ?"), ("?, ?", "?"), ("(?), (?)", "(?)")] {
        while shape.contains(list) {
            shape = shape.replace(list, one);
        }
    }
    shape
}

/// Reads to the end of a quoted text; a quote is doubled in it, or stands behind a backslash.
fn skip_text(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(char) = rest.next() {
        match char {
            '\\' => drop(rest.next()),
            '\'' if rest.next_if_eq(&'\'').is_none() => return,
            _ => {}
        }
    }
}

fn cut(shape: &str) -> String {
    if shape.chars().count() <= SHOWN {
        return shape.to_owned();
    }
    shape.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(texts: &[&str]) -> Vec<Logged> {
        texts.iter().map(|text| Logged { text: (*text).to_owned(), at: 0.0 }).collect()
    }

    #[test]
    fn values_are_no_part_of_a_shape() {
        assert_eq!(
            shape("SELECT `a1` FROM t2 WHERE x = 'it''s \\' 7'  AND\n y IN (1, -2.5, 3)"),
            "SELECT `a1` FROM t2 WHERE x = ? AND y IN (?, -?)"
        );
    }

    #[test]
    fn a_statement_has_one_shape_with_values_and_without() {
        let shapes = [
            shape("UPDATE t SET a = ?, b = ? WHERE c IN (?, ?)"),
            shape("UPDATE t SET a = TIMESTAMP'2026-11-21 09:00:00', b = NULL WHERE c IN ('x')"),
        ];
        assert_eq!(shapes[0], shapes[1]);
        assert_eq!(shape("INSERT INTO t VALUES (NULL, 1, NULL), (2, 3, 4)"), "INSERT INTO t VALUES (?)");
    }

    #[test]
    fn what_consumers_look_for_and_jobs_do_is_left_out() {
        let attributed = Attributed::of(&logged(&[
            "BEGIN",
            "UPDATE `live_gift` SET `status` = 1 WHERE `id` = 7",
            "INSERT INTO room_lane (live_id, seq, reaction_done, reaction_due) VALUES ('7', 1, 0, 5)",
            "INSERT INTO `event_log` (`live_id`) VALUES ('7')",
            "COMMIT",
            "SELECT 1 AS due FROM room_lane WHERE reaction_due <= 5 LIMIT 1",
            "SELECT live_id, seq FROM room_lane WHERE reaction_due <= 5 LIMIT 64 FOR UPDATE SKIP LOCKED",
            "SELECT owner, token FROM leader_lease WHERE name = 'leader'",
        ]));
        assert_eq!(attributed.statements(), 3);
        assert_eq!(attributed.left_out.values().sum::<u64>(), 3);
    }

    #[test]
    fn a_text_in_a_value_does_not_hide_a_statement() {
        let attributed =
            Attributed::of(&logged(&["INSERT INTO `t` (`a`) VALUES ('leader_lease SKIP LOCKED')"]));
        assert_eq!(attributed.statements(), 1);
    }

    #[test]
    fn statements_of_one_shape_are_added_up() {
        let attributed = Attributed::of(&logged(&["SELECT 1", "select 2", "SELECT  3"]));
        assert_eq!(
            attributed.own.into_iter().collect::<Vec<_>>(),
            [("SELECT ?".into(), 2), ("select ?".into(), 1)]
        );
    }
}
