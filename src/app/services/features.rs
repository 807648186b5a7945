//! What happens in rooms: each feature made of the ground and of those below it.

use std::sync::Arc;

use super::Ground;
use crate::auth::{Credentials, WebhookSigner};
use crate::censor::{self, HookKeys, Reviews};
use crate::gift::payment::Payment;
use crate::gift::{self, GiftTypes, Gifts, Ledger, Pace, TestPayment};
use crate::im::Im;
use crate::item::{self, Items};
use crate::like::{self, Likes};
use crate::live::{self, Lives};
use crate::media::{Pili, PiliSaveAs, ReviewClient, RtcRooms, RtcTokens};
use crate::mic::{self, Mics, SeatsOfLeavers};
use crate::moderation::{self, BannedWords, Moderation};
use crate::relay::{self, Relays};
use crate::rest::rate_limit::AddressLimit;
use crate::stats::Stats;
use crate::user::Users;
use config::Config;
use realtime::orders::Orders;

/// The features.
pub(super) struct Features {
    pub(super) lives: Lives,
    pub(super) mics: Mics,
    pub(super) relays: Relays,
    pub(super) items: Items,
    pub(super) gifts: Gifts,
    pub(super) likes: Likes,
    pub(super) stats: Stats,
    pub(super) reviews: Reviews,
    pub(super) moderation: Moderation,
}

impl Features {
    /// Makes them, one from another.
    pub(super) fn wire(
        ground: &Ground,
        users: &Users,
        im: &Im,
        orders: Arc<dyn Orders>,
    ) -> anyhow::Result<Self> {
        let Ground { config, db, cache, clock, ids, registry, .. } = ground;
        let account = Credentials::from(&config.account);
        let life_s = config.pili.room_token_expire_s;
        let tokens = Arc::new(RtcTokens::new(config.rtc.app_id.clone(), account.clone(), life_s));
        let pili = Arc::new(Pili::new(&config.pili, &account, config.hooks.allow_unsigned)?);
        let lives = Lives::new(live::Parts {
            db: db.clone(),
            cache: cache.clone(),
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            users: users.clone(),
            im: im.clone(),
            pili: Arc::clone(&pili),
            rtc: Arc::clone(&tokens),
            seats: Arc::new(SeatsOfLeavers::new(db.clone())),
        });
        let mics = Mics::new(mic::Parts {
            db: db.clone(),
            clock: Arc::clone(clock),
            lives: lives.clone(),
            users: users.clone(),
            tokens: Arc::clone(&tokens),
            rtc: RtcRooms::new(&config.rtc, account.clone())?,
        });
        let relays = Relays::new(relay::Parts {
            db: db.clone(),
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            lives: lives.clone(),
            tokens,
        });
        let items = Items::new(item::Parts {
            db: db.clone(),
            clock: Arc::clone(clock),
            lives: lives.clone(),
            pili,
            save_as: PiliSaveAs::new(&config.pili, account)?,
        });
        let likes = Likes::new(like::Parts {
            db: db.clone(),
            cache: cache.clone(),
            clock: Arc::clone(clock),
            lives: lives.clone(),
            users: users.clone(),
            im: im.clone(),
            given: like::register_given(registry)?,
        });
        Ok(Self {
            mics,
            relays,
            items,
            gifts: gifts(ground, &lives, users)?,
            likes,
            stats: Stats::new(
                db.clone(),
                lives.clone(),
                Arc::clone(clock),
                config.limits.stats_rows_per_room,
            ),
            reviews: reviews(ground, &lives, users, im)?,
            moderation: moderation(ground, &lives, users, orders),
            lives,
        })
    }
}

fn gifts(ground: &Ground, lives: &Lives, users: &Users) -> anyhow::Result<Gifts> {
    let Ground { config, reloads, db, cache, clock, ids, registry, .. } = ground;
    let signer = reloads.derive(|config| WebhookSigner::new(std::slice::from_ref(&config.gift.secret)));
    let counters = gift::Metrics::new()?;
    counters.register(registry)?;
    Ok(Gifts::new(gift::Parts {
        db: db.clone(),
        ids: Arc::clone(ids),
        users: users.clone(),
        lives: lives.clone(),
        types: GiftTypes::new(db.clone(), cache.clone(), Arc::clone(clock)),
        ledger: Ledger::new(db.clone(), Arc::clone(clock), Pace::of(&config.gift), counters),
        payment: Payment::new(&config.gift, signer, Arc::clone(clock))?,
        unpaid_status: config.gift.unpaid_status,
    }))
}

fn reviews(ground: &Ground, lives: &Lives, users: &Users, im: &Im) -> anyhow::Result<Reviews> {
    let Ground { config, reloads, db, clock, registry, .. } = ground;
    let parts = censor::Parts {
        db: db.clone(),
        clock: Arc::clone(clock),
        lives: lives.clone(),
        users: users.clone(),
        im: im.clone(),
        client: ReviewClient::new(&config.censor.api_url, Credentials::from(&config.account))?,
        hooks: reloads.derive(|config| HookKeys::new(&config.auth.jwt_keys)),
        config: config.censor.clone(),
    };
    Ok(Reviews::new(parts, registry)?)
}

fn moderation(ground: &Ground, lives: &Lives, users: &Users, orders: Arc<dyn Orders>) -> Moderation {
    let Ground { db, cache, clock, .. } = ground;
    Moderation::new(moderation::Parts {
        db: db.clone(),
        cache: cache.clone(),
        clock: Arc::clone(clock),
        lives: lives.clone(),
        users: users.clone(),
        orders,
        words: BannedWords::new(db.clone(), cache.clone(), Arc::clone(clock)),
    })
}

/// The stand-in for a payment service. It answers where gifts are paid by it, on this node or another,
/// and on an embedded database.
pub(super) fn test_payment(config: &Config, limit: AddressLimit) -> TestPayment {
    let is_in_use = config.gift.is_paid_by_stand_in() || config.mysql.databases.is_empty();
    TestPayment { is_in_use, limit }
}
