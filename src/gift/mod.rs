//! Gifts: which there are, sending one, its payment, and what became of it.
//!
//! A gift is a row of `live_gift`, committed before the payment service is asked. `ledger` is the one
//! place that ends a row; `claims` sees to it that one caller at a time asks about it.

mod admin_dto;
pub mod admin_handlers;
mod admin_listing;
mod attempt;
mod catalogue;
mod claims;
mod correction;
mod correction_queries;
mod dto;
mod error;
mod export;
pub mod handlers;
mod ledger;
mod listing;
mod metrics;
pub mod payment;
mod queries;
mod retry_policy;
mod row;
mod selection_queries;
mod send_key;
mod service;
mod type_queries;

pub use attempt::AttemptBy;
pub use catalogue::{GiftTypes, TOPIC};
pub use claims::Claim;
pub use correction::{Corrected, Verdict};
pub use dto::{GiftType, GiftView, SaveGiftType, SendGift, SendGiftFor};
pub use error::Error;
pub use export::{Cursor, Entry, Refund, Selection};
pub use handlers::TestPayment;
pub use ledger::{Ledger, Open};
pub use metrics::Metrics;
pub use retry_policy::RetryPolicy;
pub use row::{Gift, GiftStatus};
pub use selection_queries::{after_statement, newest_statement};
pub use send_key::ClientKey;
pub use service::{Gifts, Parts};
