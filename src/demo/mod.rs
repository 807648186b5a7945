//! The demo room of the pages: visitors become users, and there are gifts to send.
//!
//! For those who look at liveloom for the first time, and for those who develop with it. In production
//! it is off (`demo.enable`), since everybody may then be a user.

mod gift_types;
pub mod handlers;

use crate::gift::GiftTypes;
use crate::rest::rate_limit::{AddressLimit, LimitsAddresses};
use crate::user::{Error, Register, Users};
use config::Config;

/// How the ids of visitors begin.
const PREFIX: &str = "demo-";

/// Where gifts of the demo room are paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payments {
    /// By a stand-in that says paid to everything.
    Test,
    /// By the payment service.
    Service,
    /// No gift can be sent.
    None,
}

/// The demo room.
pub struct Demo {
    is_enabled: bool,
    payments: Payments,
    has_media: bool,
    users: Users,
    limit: AddressLimit,
}

impl Demo {
    /// The demo room of a server with this configuration; an address may log in as often as `limit` says.
    #[must_use]
    pub fn new(config: &Config, users: Users, limit: AddressLimit) -> Self {
        let payments = match config.gift.gift_addr.as_str() {
            "" => Payments::None,
            _ if config.gift.is_paid_by_stand_in() => Payments::Test,
            _ => Payments::Service,
        };
        let pili = &config.pili;
        let has_media = !(pili.flv_play_url.is_empty() && pili.hls_play_url.is_empty());
        Self { is_enabled: config.demo.enable, payments, has_media, users, limit }
    }

    /// Registers a visitor under a new id; answers id and name.
    async fn register(&self, nick: Option<String>) -> Result<(String, String), Error> {
        let number: u64 = rand::random();
        let user_id = format!("{PREFIX}{number:016x}");
        let nick = nick.unwrap_or_else(|| format!("Guest {:04}", number % 10_000));
        self.users.register(Register { nick: Some(nick.clone()), ..Register::bare(&user_id) }).await?;
        Ok((user_id, nick))
    }
}

impl LimitsAddresses for Demo {
    fn of_address(&self) -> &AddressLimit {
        &self.limit
    }
}

/// Where there are no gift types yet, makes those of the demo room.
///
/// # Errors
/// The store's.
pub async fn prepare(types: &GiftTypes) -> Result<(), crate::gift::Error> {
    if types.list(None).await?.is_empty() {
        types.save(&gift_types::all()).await?;
    }
    Ok(())
}
