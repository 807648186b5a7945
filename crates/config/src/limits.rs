//! `limits`: bounds that keep one part from hurting another.

use serde::Serialize;

use super::section::Section;

/// `limits` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitsConfig {
    /// Requests per second and client address on `/manager/gift/test` and `/manager/censor/callback`.
    pub open_per_s: u32,
    /// Log-ins per second and client address, those of the demo room too.
    pub login_per_s: u32,
    /// Failed log-ins of one account from one network after which pauses begin; 0 is without pauses.
    pub login_failures: u32,
    /// MiB that all request bodies under way may take together.
    pub bodies_mib: usize,
    /// HTTP connections that one network may have at a node, and never more than a quarter of the open files; 0
    /// is no limit.
    pub connections_per_address: usize,
    /// Rooms that one user may create in an hour, at one node; 0 is no limit.
    pub rooms_per_user_h: u32,
    /// Writing calls per second and user, at one node; 0 is no limit. Ten rows of a report of statistics
    /// count as a call.
    pub writes_per_user_s: u32,
    /// Rows that the reports of one user may make in the statistics of one room; 0 is no limit.
    pub stats_rows_per_room: u32,
    /// How many seconds a replica may lag before reads fall back to the writable database.
    pub replica_lag_s: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            open_per_s: 20,
            login_per_s: 5,
            login_failures: 5,
            bodies_mib: 64,
            connections_per_address: 10_000,
            rooms_per_user_h: 60,
            writes_per_user_s: 20,
            stats_rows_per_room: 1000,
            replica_lag_s: 2,
        }
    }
}

impl LimitsConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            open_per_s: section.number("open_per_s", default.open_per_s, 1..=1_000_000),
            login_per_s: section.number("login_per_s", default.login_per_s, 1..=1_000_000),
            login_failures: section.number("login_failures", default.login_failures, 0..=1000),
            bodies_mib: section.number("bodies_mib", default.bodies_mib, 4..=65_536),
            connections_per_address: section.number(
                "connections_per_address",
                default.connections_per_address,
                0..=10_000_000,
            ),
            rooms_per_user_h: section.number("rooms_per_user_h", default.rooms_per_user_h, 0..=1_000_000),
            writes_per_user_s: section.number("writes_per_user_s", default.writes_per_user_s, 0..=1_000_000),
            stats_rows_per_room: section.number(
                "stats_rows_per_room",
                default.stats_rows_per_room,
                0..=100_000_000,
            ),
            replica_lag_s: section.number("replica_lag_s", default.replica_lag_s, 1..=3600),
        }
    }
}
