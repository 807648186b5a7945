//! What the cache tells about itself.

use prometheus::Registry;

use super::{Backend, Cache};

impl Cache {
    /// Shows what is counted of the calls of Redis: `liveloom_redis_*`. Memory has none.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        match &self.0 {
            Backend::Memory(_) => Ok(()),
            Backend::Redis(redis) => redis.remote.register(registry),
        }
    }

    /// Whether the cache can be asked (of a cluster: every master), without asking it.
    #[must_use]
    pub fn is_up(&self) -> bool {
        match &self.0 {
            Backend::Memory(_) => true,
            Backend::Redis(redis) => redis.remote.is_up(),
        }
    }
}
