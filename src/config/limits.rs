//! `limits`: bounds that keep one part from hurting another.

use serde::Serialize;

use super::section::Section;

/// `limits` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitsConfig {
    /// Requests per second and client address on the open routes.
    pub open_per_s: u32,
    /// Log-in attempts per second and client address.
    pub login_per_s: u32,
    /// MiB that all request bodies under way may take together.
    pub bodies_mib: usize,
    /// How many seconds a replica may lag before reads fall back to the writable database.
    pub replica_lag_s: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { open_per_s: 20, login_per_s: 5, bodies_mib: 64, replica_lag_s: 2 }
    }
}

impl LimitsConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            open_per_s: section.number("open_per_s", default.open_per_s, 1..=1_000_000),
            login_per_s: section.number("login_per_s", default.login_per_s, 1..=1_000_000),
            bodies_mib: section.number("bodies_mib", default.bodies_mib, 4..=65_536),
            replica_lag_s: section.number("replica_lag_s", default.replica_lag_s, 1..=3600),
        }
    }
}
