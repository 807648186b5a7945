//! Whether the node can do its work: it reaches its stores, and they take what it writes.

use std::fmt::Write;
use std::time::{Duration, Instant};

use prometheus::{Opts, Registry};
use tokio::sync::Mutex;

use crate::rest::Draining;
use store::broker::Broker;
use store::cache::{Cache, CacheError};
use store::db::Db;
use store::registry::Registration;
use telemetry::asked;

/// How old an answer may be, so that questions cost the stores nothing, however many there are.
const FRESH: Duration = Duration::from_millis(200);
/// A broker that is away for less heals by itself: what was missed is fetched from its history.
const BROKER_PATIENCE: Duration = Duration::from_secs(5);

/// What readiness depends on.
#[derive(Clone)]
pub struct Stores {
    /// The database.
    pub db: Db,
    /// The cache.
    pub cache: Cache,
    /// The broker.
    pub broker: Broker,
    /// Renewed every other second at least: whether the database takes writes.
    pub registration: Registration,
}

/// How a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Well,
    Unreachable,
    /// It answers, and takes no writes: it is full or read-only, or no memory is left.
    Unwritable,
}

/// How the stores are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    pub(super) database: Condition,
    pub(super) cache: Condition,
    pub(super) broker: Condition,
}

impl Conditions {
    /// What is wrong, for callers; None when the node is ready.
    pub(super) fn trouble(&self) -> Option<String> {
        let all = [("database", self.database), ("cache", self.cache), ("broker", self.broker)];
        let mut text = String::new();
        for (what, wrong) in
            [("unreachable", Condition::Unreachable), ("not writable", Condition::Unwritable)]
        {
            let names: Vec<&str> = all.iter().filter(|(_, is)| *is == wrong).map(|(name, _)| *name).collect();
            if !names.is_empty() {
                let separator = if text.is_empty() { "" } else { "; " };
                let _ = write!(text, "{separator}{what}: {}", names.join(", "));
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

impl Stores {
    /// Registers `liveloom_store_up{store}`.
    ///
    /// # Errors
    /// When the registry holds it already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let opts = |store| {
            let help = "1 while the writable database, the cache or the broker is there and takes writes; a \
                        node is ready while all are.";
            Opts::new("liveloom_store_up", help).const_label("store", store)
        };
        let (database, cache, broker) = (self.clone(), self.cache.clone(), self.clone());
        asked::gauge(registry, opts("database"), move || {
            (database.db.is_up() && database.registration.is_renewed()).into()
        })?;
        asked::gauge(registry, opts("cache"), move || cache.is_up().into())?;
        asked::gauge(registry, opts("broker"), move || (broker.broker() == Condition::Well).into())
    }

    async fn look(&self) -> Conditions {
        let (database, cache) = tokio::join!(self.db.ping(), self.cache.try_write());
        let database = match database {
            Err(_) => Condition::Unreachable,
            Ok(()) if !self.registration.is_renewed() => Condition::Unwritable,
            Ok(()) => Condition::Well,
        };
        let cache = match cache {
            Ok(()) => Condition::Well,
            Err(CacheError::Refused(_)) => Condition::Unwritable,
            Err(_) => Condition::Unreachable,
        };
        Conditions { database, cache, broker: self.broker() }
    }

    fn broker(&self) -> Condition {
        let is_away = self.broker.away_for().is_some_and(|away| away >= BROKER_PATIENCE);
        if is_away { Condition::Unreachable } else { Condition::Well }
    }
}

/// Answers those who ask, from one look at the stores for all of a moment.
pub struct Readiness {
    stores: Stores,
    /// Whether the node is on its way out.
    pub(super) draining: Draining,
    last: Mutex<Option<(Instant, Conditions)>>,
}

impl Readiness {
    /// Of a node over `stores`.
    #[must_use]
    pub fn new(stores: Stores, draining: Draining) -> Self {
        Self { stores, draining, last: Mutex::new(None) }
    }

    /// How the stores are, a moment ago at most.
    pub(super) async fn conditions(&self) -> Conditions {
        // Those who ask meanwhile wait for the same look.
        let mut last = self.last.lock().await;
        if let Some((at, conditions)) = *last
            && at.elapsed() < FRESH
        {
            return conditions;
        }
        let conditions = self.stores.look().await;
        *last = Some((Instant::now(), conditions));
        conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_told_by_what_is_wrong() {
        let conditions = |database, cache, broker| Conditions { database, cache, broker };
        let (well, away, full) = (Condition::Well, Condition::Unreachable, Condition::Unwritable);
        let told = |conditions: Conditions| conditions.trouble().unwrap_or_default();
        assert_eq!(told(conditions(well, well, well)), "");
        assert_eq!(told(conditions(away, away, well)), "unreachable: database, cache");
        assert_eq!(told(conditions(full, well, well)), "not writable: database");
        assert_eq!(told(conditions(full, well, away)), "unreachable: broker; not writable: database");
    }
}
