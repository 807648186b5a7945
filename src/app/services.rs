//! The services that requests, jobs and consumers use, made one from another.

mod changes;
mod features;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use async_trait::async_trait;
use prometheus::Registry;

use self::features::Features;
use crate::auth::{BackendKeys, Gate, OwnWrites, Passwords, TokenKeys, TokenService, WriteLimit};
use crate::callback::Deliveries;
use crate::censor::Reviews;
use crate::censor::handlers::CallbackLimit;
use crate::demo::Demo;
use crate::edges::Mesh;
use crate::gift::{Gifts, TestPayment};
use crate::im::{HubOutlet, IdError, IdSource, Im};
use crate::item::Items;
use crate::like::Likes;
use crate::live::Lives;
use crate::live::handlers::RoomLimit;
use crate::mic::Mics;
use crate::moderation::Moderation;
use crate::overview::{self, Overview};
use crate::pages::Policy;
use crate::relay::Relays;
use crate::rest::Draining;
use crate::rest::incoming::BodyBudget;
use crate::rest::middleware::HttpMetrics;
use crate::rest::peer::TrustedProxies;
use crate::rest::rate_limit::AddressLimit;
use crate::rest::user_limit::UserLimit;
use crate::routes::{Readiness, Stores};
use crate::stats::Stats;
use crate::user::{Admins, Bans, LogIns, Operations, Users};
use common::clock::SharedClock;
use common::id::IdGenerator;
use config::{Config, Current, HooksConfig, Reloads};
use realtime::orders::Orders;
use realtime::{AnnouncedOrders, Hub};
use store::cache::Cache;
use store::db::Db;
use store::sequence::Sequence;

pub(super) use changes::follow_changes;

/// What everything is built on.
pub(super) struct Ground {
    pub(super) config: Config,
    pub(super) reloads: Reloads,
    pub(super) draining: Draining,
    pub(super) db: Db,
    pub(super) cache: Cache,
    pub(super) stores: Stores,
    pub(super) clock: SharedClock,
    pub(super) ids: Arc<IdGenerator>,
    pub(super) registry: Registry,
    pub(super) hub: Hub,
}

/// The services, as handlers take them.
#[derive(Clone)]
pub(super) struct Services {
    pub(super) im: web::Data<Im>,
    pub(super) users: web::Data<Users>,
    pub(super) admins: web::Data<Admins>,
    operations: web::Data<Operations>,
    pub(super) lives: web::Data<Lives>,
    mics: web::Data<Mics>,
    pub(super) relays: web::Data<Relays>,
    pub(super) items: web::Data<Items>,
    pub(super) gifts: web::Data<Gifts>,
    pub(super) likes: web::Data<Likes>,
    stats: web::Data<Stats>,
    pub(super) reviews: web::Data<Reviews>,
    pub(super) mesh: web::Data<Mesh>,
    pub(super) moderation: web::Data<Moderation>,
    bans: web::Data<Bans>,
    pub(super) gate: web::Data<Gate>,
    clock: web::Data<SharedClock>,
    hooks: web::Data<Current<HooksConfig>>,
    log_ins: web::Data<LogIns>,
    write_limit: web::Data<WriteLimit>,
    room_limit: web::Data<RoomLimit>,
    callback_limit: web::Data<CallbackLimit>,
    test_payment: web::Data<TestPayment>,
    demo: web::Data<Demo>,
    own_writes: web::Data<OwnWrites>,
    policy: web::Data<Policy>,
    deliveries: web::Data<Deliveries>,
    overview: web::Data<Overview>,
    readiness: web::Data<Readiness>,
    pub(super) http_metrics: web::Data<HttpMetrics>,
    bodies: web::Data<BodyBudget>,
    draining: web::Data<Draining>,
}

impl Services {
    /// Makes them, one from another.
    pub(super) fn wire(ground: &Ground) -> anyhow::Result<Self> {
        let Ground { config, db, cache, clock, registry, hub, .. } = ground;
        let orders: Arc<dyn Orders> = Arc::new(AnnouncedOrders::new(hub.clone(), cache.clone()));
        let numbers = Arc::new(Numbers(Sequence::new(db.clone(), "im")));
        let im = Im::new(&config.im, numbers, Arc::new(HubOutlet::new(hub.clone(), Arc::clone(&orders))))?;
        let admins = Admins::new(db.clone(), Passwords::default(), Arc::clone(clock));
        let log_ins = LogIns::new(admins.clone(), &config.limits, cache.clone(), Arc::clone(clock));
        let users = Users::new(db.clone(), cache.clone(), im.clone(), Arc::clone(clock));
        let proxies = TrustedProxies::new(&config.httpq.trusted_proxies);
        let gate = web::Data::new(gate(ground, &users, &admins, proxies.clone())?);
        let bans = Bans::new(users.clone(), Arc::clone(&orders));
        let features = Features::wire(ground, &users, &im, orders)?;
        let demo = Demo::new(config, users.clone(), AddressLimit::new(config.limits.login_per_s));
        let deliveries = Deliveries::new(db.clone(), Arc::clone(clock));
        let overview = overview(ground, &features, &deliveries);
        let bodies = BodyBudget::new(config.limits.bodies_mib << 20);
        bodies.register(registry)?;
        let open_limit = || AddressLimit::new(config.limits.open_per_s);
        Ok(Self {
            im: web::Data::new(im),
            users: web::Data::new(users),
            admins: web::Data::new(admins),
            operations: web::Data::new(Operations::new(db.clone(), Arc::clone(clock), registry)?),
            lives: web::Data::new(features.lives),
            mics: web::Data::new(features.mics),
            relays: web::Data::new(features.relays),
            items: web::Data::new(features.items),
            gifts: web::Data::new(features.gifts),
            likes: web::Data::new(features.likes),
            stats: web::Data::new(features.stats),
            reviews: web::Data::new(features.reviews),
            mesh: web::Data::new(Mesh::new(hub.clone(), gate.clone())),
            moderation: web::Data::new(features.moderation),
            bans: web::Data::new(bans),
            gate,
            clock: web::Data::new(Arc::clone(clock)),
            hooks: web::Data::new(ground.reloads.derive(|config| config.hooks.clone())),
            log_ins: web::Data::new(log_ins),
            write_limit: web::Data::new(WriteLimit(UserLimit::per_second(config.limits.writes_per_user_s))),
            room_limit: web::Data::new(RoomLimit(UserLimit::per_hour(config.limits.rooms_per_user_h))),
            callback_limit: web::Data::new(CallbackLimit(open_limit())),
            test_payment: web::Data::new(features::test_payment(config, open_limit())),
            demo: web::Data::new(demo),
            own_writes: web::Data::new(own_writes(ground)),
            policy: web::Data::new(Policy::new(config)?),
            deliveries: web::Data::new(deliveries),
            overview: web::Data::new(overview),
            readiness: web::Data::new(Readiness::new(ground.stores.clone(), ground.draining.clone())),
            draining: web::Data::new(ground.draining.clone()),
            http_metrics: web::Data::new(HttpMetrics::register(
                registry,
                proxies,
                config.traces.allow.clone(),
            )?),
            bodies: web::Data::new(bodies),
        })
    }

    /// Gives them to the handlers.
    pub(super) fn configure(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.im.clone())
            .app_data(self.users.clone())
            .app_data(self.admins.clone())
            .app_data(self.operations.clone())
            .app_data(self.lives.clone())
            .app_data(self.mics.clone())
            .app_data(self.relays.clone())
            .app_data(self.items.clone())
            .app_data(self.gifts.clone())
            .app_data(self.likes.clone())
            .app_data(self.stats.clone())
            .app_data(self.reviews.clone())
            .app_data(self.moderation.clone())
            .app_data(self.bans.clone())
            .app_data(self.gate.clone())
            .app_data(self.mesh.clone())
            .app_data(self.clock.clone())
            .app_data(self.hooks.clone())
            .app_data(self.log_ins.clone())
            .app_data(self.write_limit.clone())
            .app_data(self.room_limit.clone())
            .app_data(self.callback_limit.clone())
            .app_data(self.test_payment.clone())
            .app_data(self.demo.clone())
            .app_data(self.own_writes.clone())
            .app_data(self.policy.clone())
            .app_data(self.deliveries.clone())
            .app_data(self.overview.clone())
            .app_data(self.readiness.clone())
            .app_data(self.http_metrics.clone())
            .app_data(self.bodies.clone())
            .app_data(self.draining.clone());
    }
}

/// What the console shows first.
fn overview(ground: &Ground, features: &Features, deliveries: &Deliveries) -> Overview {
    Overview::new(overview::Parts {
        db: ground.db.clone(),
        clock: Arc::clone(&ground.clock),
        registry: ground.registry.clone(),
        config: ground.config.clone(),
        shown: ground.reloads.derive(overview::ConfigView::new),
        warnings: ground.reloads.warnings(),
        lives: features.lives.clone(),
        ledger: features.gifts.ledger().clone(),
        deliveries: deliveries.clone(),
        reviews: features.reviews.clone(),
    })
}

/// Who has just written.
fn own_writes(ground: &Ground) -> OwnWrites {
    let lag = Duration::from_secs(ground.config.limits.replica_lag_s);
    OwnWrites::new(&ground.db, ground.cache.clone(), lag)
}

/// Who lets callers in.
fn gate(ground: &Ground, users: &Users, admins: &Admins, proxies: TrustedProxies) -> anyhow::Result<Gate> {
    let Ground { reloads, cache, clock, .. } = ground;
    let keys = reloads.try_derive(|config| TokenKeys::new(&config.auth.jwt_keys))?;
    Ok(Gate::new(
        TokenService::new(keys, Arc::clone(clock)),
        Arc::new(users.clone()),
        Arc::new(admins.clone()),
        reloads.derive(|config| BackendKeys::new(config.auth.server.clone())),
        cache.clone(),
        Arc::clone(clock),
        proxies,
    ))
}

/// The numbers of accounts and chat rooms of the built-in IM.
struct Numbers(Sequence);

#[async_trait]
impl IdSource for Numbers {
    async fn next_id(&self) -> Result<i64, IdError> {
        Ok(self.0.next().await?)
    }
}
