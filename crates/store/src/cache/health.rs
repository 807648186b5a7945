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

    /// Whether the cache takes writes (of a cluster: every master): tries it.
    ///
    /// # Errors
    /// [`super::CacheError::Refused`] when it answers that it does not, for example for want of memory; else
    /// when it cannot be reached.
    pub async fn try_write(&self) -> super::Result<()> {
        match &self.0 {
            Backend::Memory(_) => Ok(()),
            Backend::Redis(redis) => redis.try_write().await,
        }
    }

    /// Whether the cache can be asked (of a cluster: every master) and took the last write, without asking it.
    #[must_use]
    pub fn is_up(&self) -> bool {
        match &self.0 {
            Backend::Memory(_) => true,
            Backend::Redis(redis) => redis.remote.is_up() && redis.takes_writes(),
        }
    }
}
