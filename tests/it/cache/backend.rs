//! The kinds of cache that the cases run on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::clock::SystemClock;
use config::{CacheConfig, RedisConfig};
use store::cache::{Cache, Member, Silent};

use crate::support::redis::{RedisCluster, RedisServer};

/// Where a cache or a broker lives.
pub struct Place {
    pub config: CacheConfig,
    // Held until the test ends.
    _server: Option<RedisServer>,
    _cluster: Option<Arc<RedisCluster>>,
}

impl Place {
    /// One that others take care of.
    pub fn of(config: CacheConfig) -> Self {
        Self { config, _server: None, _cluster: None }
    }

    pub fn memory() -> Self {
        Self { config: CacheConfig::Memory, _server: None, _cluster: None }
    }

    /// The server that LIVELOOM_TEST_REDIS names, or one of the test's own.
    pub fn node() -> Self {
        let named = std::env::var("LIVELOOM_TEST_REDIS").ok();
        let own = named.is_none().then(|| RedisServer::start(&[]));
        let addr = named.unwrap_or_else(|| own.as_ref().map(RedisServer::addr).unwrap_or_default());
        Self { config: CacheConfig::Node(config(vec![addr])), _server: own, _cluster: None }
    }

    /// The cluster that LIVELOOM_TEST_REDIS_CLUSTER names, or one that the tests share.
    pub fn cluster() -> Self {
        let named = std::env::var("LIVELOOM_TEST_REDIS_CLUSTER").ok();
        let own = named.is_none().then(RedisCluster::shared);
        let addrs = match (&own, &named) {
            (Some(own), _) => own.addrs(),
            (None, named) => named.iter().flat_map(|addrs| addrs.split(',')).map(str::to_owned).collect(),
        };
        Self { config: CacheConfig::Cluster(config(addrs)), _server: None, _cluster: own }
    }
}

/// A cache with nothing in it, and what it runs on.
pub struct Backend {
    pub cache: Cache,
    pub config: CacheConfig,
    _place: Place,
}

impl Backend {
    pub async fn memory() -> Self {
        Self::open(Place::memory()).await
    }

    pub async fn node() -> Self {
        Self::open(Place::node()).await
    }

    pub async fn cluster() -> Self {
        Self::open(Place::cluster()).await
    }

    pub async fn open(place: Place) -> Self {
        let config = place.config.clone();
        Self { cache: open(&config).await, config, _place: place }
    }

    /// The cache as another process sees it.
    pub async fn another(&self) -> Cache {
        if self.config == CacheConfig::Memory { self.cache.clone() } else { open(&self.config).await }
    }

    /// Fails the test if Redis holds more of this cache than since when it is watched.
    pub fn assert_no_keys_but_since(&self) {
        let (CacheConfig::Node(redis) | CacheConfig::Cluster(redis)) = &self.config else { return };
        for addr in &redis.addrs {
            let client = redis::Client::open(format!("redis://{addr}/")).unwrap();
            let mut connection = client.get_connection().unwrap();
            let pattern = format!("{}*", redis.key_prefix);
            let mut left: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
            left.retain(|key| !key.ends_with(":since"));
            assert_eq!(left, Vec::<String>::new());
        }
    }

    /// A cache of the same kind and place, under another prefix.
    pub async fn under(&self, prefix: &str) -> Cache {
        let mut config = self.config.clone();
        if let CacheConfig::Node(redis) | CacheConfig::Cluster(redis) = &mut config {
            redis.key_prefix = prefix.to_owned();
        }
        open(&config).await
    }
}

/// A configuration with a prefix of its own.
pub fn config(addrs: Vec<String>) -> RedisConfig {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    RedisConfig {
        addrs,
        key_prefix: format!("test-{}-{number}:", std::process::id()),
        ..RedisConfig::default()
    }
}

/// Opens a cache.
pub async fn open(config: &CacheConfig) -> Cache {
    Cache::connect(config, Arc::new(SystemClock)).await.unwrap()
}

/// Opens a cache over one node.
pub async fn open_node(addr: &str) -> Cache {
    open(&CacheConfig::Node(config(vec![addr.to_owned()]))).await
}

/// Waits until `check` answers something, and fails the test after `limit`.
pub async fn eventually<T>(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Members of a room.
pub fn members(live_id: &str, users: &[&str]) -> Vec<Member> {
    users.iter().map(|user| Member::new(live_id, *user)).collect()
}

/// Asks every shard to remove the silent, and answers all that were removed, in order of shards.
pub async fn remove_everywhere(cache: &Cache, timeout: Duration) -> Vec<Member> {
    let mut all = Vec::new();
    for shard in 0..cache.shards() {
        match cache.remove_silent(shard, timeout, 1000, false).await.unwrap() {
            Silent::Found(gone) => {
                assert_eq!(cache.acknowledge_removed(&gone).await.unwrap(), vec![true; gone.len()]);
                all.extend(gone);
            }
            Silent::Waiting => {}
            Silent::Lost => panic!("shard {shard} is not watched"),
        }
    }
    all
}

/// The shard of a room, found from outside by the answers of the cache.
pub async fn shard_of(cache: &Cache, live_id: &str) -> u16 {
    let probe = Member::new(live_id, "probe of the shard");
    cache.restore(std::slice::from_ref(&probe), &[]).await.unwrap();
    let shard = eventually("the shard is found", Duration::from_secs(5), async || {
        for shard in 0..cache.shards() {
            let heard = cache.heard_since(shard, 0, 100_000).await.unwrap();
            if heard.iter().any(|(member, _)| *member == probe) {
                return Some(shard);
            }
        }
        None
    })
    .await;
    cache.leave(live_id, &probe.user_id).await.unwrap();
    shard
}
