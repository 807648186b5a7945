//! The services that requests use, made one from another.

use std::sync::Arc;

use actix_web::web;
use async_trait::async_trait;
use prometheus::Registry;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::auth::{Credentials, Gate, Passwords, TokenService};
use crate::censor::handlers::CallbackLimit;
use crate::censor::{self, HookKeys, Reviews};
use crate::clock::SharedClock;
use crate::config::{Config, HooksConfig};
use crate::id::IdGenerator;
use crate::im::{CountingOutlet, IdError, IdSource, Im};
use crate::live::{self, Lives};
use crate::media::{Pili, ReviewClient, RtcTokens};
use crate::rest::middleware::HttpMetrics;
use crate::rest::rate_limit::AddressLimit;
use crate::routes::Stores;
use crate::store::cache::{Announcement, Cache};
use crate::store::db::Db;
use crate::store::sequence::Sequence;
use crate::user::tokens::LoginLimit;
use crate::user::{self, Admins, Operations, Users};

/// The services that requests use.
#[derive(Clone)]
pub(super) struct Services {
    pub(super) users: web::Data<Users>,
    admins: web::Data<Admins>,
    pub(super) lives: web::Data<Lives>,
    pub(super) reviews: web::Data<Reviews>,
    callback_limit: web::Data<CallbackLimit>,
    operations: web::Data<Operations>,
    im: web::Data<Im>,
    gate: web::Data<Gate>,
    clock: web::Data<SharedClock>,
    hooks: web::Data<HooksConfig>,
    login_limit: web::Data<LoginLimit>,
    stores: web::Data<Stores>,
    http_metrics: web::Data<HttpMetrics>,
}

impl Services {
    /// Makes them, one from another.
    pub(super) fn wire(
        config: &Config,
        db: &Db,
        cache: &Cache,
        clock: &SharedClock,
        ids: Arc<IdGenerator>,
        registry: &Registry,
    ) -> anyhow::Result<Self> {
        let account = Credentials::from(&config.account);
        let numbers = Arc::new(Numbers(Sequence::new(db.clone(), "im")));
        let im = Im::new(&config.im, numbers, Arc::new(CountingOutlet::default()))?;
        let admins = Admins::new(db.clone(), Passwords::default());
        let users = Users::new(db.clone(), cache.clone(), im.clone(), Arc::clone(clock));
        let tokens = TokenService::new(&config.auth.jwt_keys, Arc::clone(clock))?;
        let trusted = config.httpq.trusted_proxies.clone();
        let gate = Gate::new(
            tokens,
            Arc::new(users.clone()),
            Arc::new(admins.clone()),
            config.auth.server.clone(),
            cache.clone(),
            Arc::clone(clock),
            trusted.clone(),
        );
        let life_s = config.pili.room_token_expire_s;
        let lives = Lives::new(live::Parts {
            db: db.clone(),
            cache: cache.clone(),
            clock: Arc::clone(clock),
            ids,
            users: users.clone(),
            im: im.clone(),
            pili: Arc::new(Pili::new(&config.pili, &account, config.hooks.allow_unsigned)?),
            rtc: Arc::new(RtcTokens::new(config.rtc.app_id.clone(), account.clone(), life_s)),
        });
        let parts = censor::Parts {
            db: db.clone(),
            clock: Arc::clone(clock),
            lives: lives.clone(),
            users: users.clone(),
            im: im.clone(),
            client: ReviewClient::new(&config.censor.api_url, account)?,
            hooks: HookKeys::new(&config.auth.jwt_keys),
            config: config.censor.clone(),
        };
        let reviews = Reviews::new(parts, registry)?;
        let operations = Operations::new(db.clone(), Arc::clone(clock), registry)?;
        let limit = AddressLimit::new(config.limits.open_per_s);
        Ok(Self {
            users: web::Data::new(users),
            admins: web::Data::new(admins),
            lives: web::Data::new(lives),
            reviews: web::Data::new(reviews),
            callback_limit: web::Data::new(CallbackLimit(AddressLimit::new(config.limits.open_per_s))),
            operations: web::Data::new(operations),
            im: web::Data::new(im),
            gate: web::Data::new(gate),
            clock: web::Data::new(Arc::clone(clock)),
            hooks: web::Data::new(config.hooks.clone()),
            login_limit: web::Data::new(LoginLimit(AddressLimit::new(config.limits.login_per_s))),
            stores: web::Data::new(Stores { db: db.clone(), cache: cache.clone(), limit }),
            http_metrics: web::Data::new(HttpMetrics::register(registry, trusted)?),
        })
    }

    /// Gives them to the handlers.
    pub(super) fn configure(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.users.clone())
            .app_data(self.admins.clone())
            .app_data(self.lives.clone())
            .app_data(self.reviews.clone())
            .app_data(self.callback_limit.clone())
            .app_data(self.operations.clone())
            .app_data(self.im.clone())
            .app_data(self.gate.clone())
            .app_data(self.clock.clone())
            .app_data(self.hooks.clone())
            .app_data(self.login_limit.clone())
            .app_data(self.stores.clone())
            .app_data(self.http_metrics.clone());
    }
}

/// The numbers of accounts and chat rooms of the built-in IM.
struct Numbers(Sequence);

#[async_trait]
impl IdSource for Numbers {
    async fn next_id(&self) -> Result<i64, IdError> {
        Ok(self.0.next().await?)
    }
}

/// Drops what is remembered of users and rooms that any node has changed.
pub(super) async fn follow_changes(cache: Cache, services: Services, stop: CancellationToken) {
    let mut changes = cache.announcements();
    while let Some(change) = stop.run_until_cancelled(changes.recv()).await {
        let (users, lives) = (&services.users, &services.lives);
        match change {
            Ok(Announcement::Changed { topic, key }) if topic == user::TOPIC => {
                users.forget(Some(&key)).await;
            }
            Ok(Announcement::Changed { topic, key }) if topic == live::TOPIC => {
                lives.forget(Some(&key)).await;
            }
            Ok(Announcement::Changed { .. }) => {}
            Ok(Announcement::Resync) | Err(RecvError::Lagged(_)) => {
                users.forget(None).await;
                lives.forget(None).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}
