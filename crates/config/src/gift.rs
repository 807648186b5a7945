//! `gift`: the service that takes the money for gifts.

use serde::Serialize;

use super::section::Section;
use super::{MAX_SECONDS, Secret};

/// `gift`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GiftConfig {
    /// The payment service; empty: no gift can be sent.
    pub gift_addr: String,
    /// Seconds to wait for its answer.
    pub timeout_s: u64,
    /// Signs the calls (Standard Webhooks); empty: not signed.
    pub secret: Secret,
    /// The HTTP status of a gift that was not paid: 402, or 200 as the Go server had it.
    pub unpaid_status: u16,
    /// A gift whose outcome is unknown for this many seconds is not asked about any more, and raises
    /// an alert.
    pub give_up_s: u64,
    /// Seconds from one look for gifts whose outcome is unknown to the next, and the first pause
    /// before the service is asked again.
    pub settle_every_s: u64,
}

impl Default for GiftConfig {
    fn default() -> Self {
        Self {
            gift_addr: String::new(),
            timeout_s: 5,
            secret: Secret::default(),
            unpaid_status: 402,
            give_up_s: 3600,
            settle_every_s: 5,
        }
    }
}

/// Where a server answers for a payment service that there is not.
const STAND_IN: &str = "/manager/gift/test";

impl GiftConfig {
    /// Whether `gift_addr` leads to a server's own stand-in, which says paid to everything.
    #[must_use]
    pub fn is_paid_by_stand_in(&self) -> bool {
        url::Url::parse(&self.gift_addr).is_ok_and(|address| address.path() == STAND_IN)
    }

    /// The address of the stand-in of a server of this machine.
    pub(super) fn stand_in_at(port: u16) -> String {
        format!("http://127.0.0.1:{port}{STAND_IN}")
    }

    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let secret = section.signing_key("secret");
        if secret.webhook_key().is_none() {
            section.error("secret", "begins with whsec_, but what follows is not base64");
        }
        Self {
            gift_addr: section.address("gift_addr", ""),
            timeout_s: section.number("timeout_s", default.timeout_s, 1..=60),
            secret,
            unpaid_status: section.choice(
                "unpaid_status",
                default.unpaid_status,
                &[("402", 402), ("200", 200)],
            ),
            give_up_s: section.number("give_up_s", default.give_up_s, 1..=MAX_SECONDS),
            settle_every_s: section.number("settle_every_s", default.settle_every_s, 1..=60),
        }
    }
}
