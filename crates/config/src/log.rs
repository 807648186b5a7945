//! `log`: what is logged, and how.

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::section::Section;

/// `log` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogConfig {
    /// Levels per module, in the syntax of tracing-subscriber's `EnvFilter`.
    pub filter: String,
    /// Whether lines are JSON; else text for people.
    pub json: bool,
    /// Statements that take longer than this many milliseconds are warned of; 0: none.
    pub slow_statement_ms: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "info,migrations=warn,sea_orm_migration=warn,actix_server=warn".to_owned(),
            json: true,
            slow_statement_ms: 500,
        }
    }
}

impl LogConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let filter = section.filled("filter").unwrap_or(&default.filter).to_owned();
        if EnvFilter::try_new(&filter).is_err() {
            section.error("filter", format!("{filter:?} is not a log filter such as info,liveloom=debug"));
        }
        Self {
            filter,
            json: section.flag("json", default.json),
            slow_statement_ms: section.number("slow_statement_ms", default.slow_statement_ms, 0..=600_000),
        }
    }
}
