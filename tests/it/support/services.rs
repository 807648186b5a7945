//! Users and rooms without a server around them, for tests of what stands on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use common::clock::{SharedClock, SystemClock};
use common::id::IdGenerator;
use config::{CacheConfig, ImConfig, PiliConfig};
use liveloom::auth::Credentials;
use liveloom::im::{IdError, IdSource, Im, ImError, Message, Outlet};
use liveloom::live::{self, Lives};
use liveloom::media::{Pili, RtcTokens};
use liveloom::mic::SeatsOfLeavers;
use liveloom::user::Users;
use store::cache::Cache;
use store::db::Db;

/// What the services are made with.
pub struct Needs {
    pub cache: CacheConfig,
    pub clock: SharedClock,
    /// Nodes over the same stores differ in it.
    pub node_id: u16,
    pub keys: Credentials,
    pub pili: PiliConfig,
    /// Where the built-in IM delivers to.
    pub outlet: Arc<dyn Outlet>,
}

impl Default for Needs {
    fn default() -> Self {
        Self {
            cache: CacheConfig::Memory,
            clock: Arc::new(SystemClock),
            node_id: 1,
            keys: Credentials::default(),
            pili: PiliConfig::default(),
            outlet: Arc::new(NobodyConnected),
        }
    }
}

/// The services of one node, and what they stand on.
pub struct Services {
    pub cache: Cache,
    pub clock: SharedClock,
    pub ids: Arc<IdGenerator>,
    pub im: Im,
    pub users: Users,
    pub pili: Arc<Pili>,
    pub tokens: Arc<RtcTokens>,
    pub lives: Lives,
}

impl Services {
    /// Over `db`, whose tables are there.
    pub async fn over(db: &Db, needs: Needs) -> Self {
        let Needs { cache, clock, node_id, keys, pili, outlet } = needs;
        let cache = Cache::connect(&cache, Arc::clone(&clock)).await.unwrap();
        let ids = Arc::new(IdGenerator::new(node_id, Arc::clone(&clock)).unwrap());
        ids.allow(0, i64::MAX, Instant::now() + Duration::from_secs(3600));
        let numbers = Arc::new(Numbers(AtomicI64::new(i64::from(node_id) * 1_000_000)));
        let im = Im::new(&ImConfig::Builtin, numbers, outlet).unwrap();
        let users = Users::new(db.clone(), cache.clone(), im.clone(), Arc::clone(&clock));
        let pili = Arc::new(Pili::new(&pili, &keys, false).unwrap());
        let tokens = Arc::new(RtcTokens::new("", keys, 0));
        let lives = Lives::new(live::Parts {
            db: db.clone(),
            cache: cache.clone(),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            users: users.clone(),
            im: im.clone(),
            pili: Arc::clone(&pili),
            rtc: Arc::clone(&tokens),
            seats: Arc::new(SeatsOfLeavers::new(db.clone())),
        });
        Self { cache, clock, ids, im, users, pili, tokens, lives }
    }
}

/// The built-in IM's ids.
struct Numbers(AtomicI64);

#[async_trait]
impl IdSource for Numbers {
    async fn next_id(&self) -> Result<i64, IdError> {
        Ok(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The outlet of a server to which nobody is connected.
pub struct NobodyConnected;

#[async_trait]
impl Outlet for NobodyConnected {
    async fn deliver(&self, _: Message) -> Result<(), ImError> {
        Ok(())
    }
}
