//! The consumers of events, and their columns of `room_lane`.

use store::db::Dialect;

/// The columns of one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The consumer, in logs.
    pub name: &'static str,
    pub(super) done: &'static str,
    pub(super) due: &'static str,
    pub(super) owner: &'static str,
    pub(super) attempts: &'static str,
}

/// Callbacks to the business service.
pub const CALLBACKS: Group = Group {
    name: "callbacks",
    done: "callback_done",
    due: "callback_due",
    owner: "callback_owner",
    attempts: "callback_attempts",
};

/// What must happen because of an event.
pub const REACTIONS: Group = Group {
    name: "reactions",
    done: "reaction_done",
    due: "reaction_due",
    owner: "reaction_owner",
    attempts: "reaction_attempts",
};

/// All consumers. An event may be dropped when it is behind each.
pub const GROUPS: [Group; 2] = [CALLBACKS, REACTIONS];

/// The statement that raises the numbers of lanes, a `?` for each room: a new lane begins with its
/// item of `firsts`, one that is there gets `next`. The lanes are due then.
///
/// A lane from before there was a consumer begins with the event that is being appended: its history
/// is not told.
pub(super) fn raise_sql(dialect: Dialect, firsts: &[String], next: &str) -> String {
    let now = dialect.now_ms_sql();
    let columns = GROUPS.map(|group| format!("{}, {}", group.done, group.due)).join(", ");
    let fresh = GROUPS.map(|_| format!("0, {now}")).join(", ");
    let rows: Vec<String> = firsts.iter().map(|first| format!("(?, {first}, {fresh})")).collect();
    let on_conflict = match dialect {
        Dialect::MySql => "ON DUPLICATE KEY UPDATE",
        Dialect::Sqlite => "ON CONFLICT (live_id) DO UPDATE SET",
    };
    let set = GROUPS.map(|Group { done, due, .. }| {
        format!(
            "{done} = COALESCE(room_lane.{done}, room_lane.seq), \
             {due} = COALESCE(room_lane.{due}, {now})"
        )
    });
    // MySQL assigns from left to right: `done` has to see the number from before.
    format!(
        "INSERT INTO room_lane (live_id, seq, {columns}) VALUES {} {on_conflict} {}, seq = {next}",
        rows.join(", "),
        set.join(", ")
    )
}
