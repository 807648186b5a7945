//! The media services: RTC room tokens, the publish and play addresses of Pili live streams, and the
//! review of what they show.

pub mod pili;
pub mod publish;
pub mod review;
pub mod rtc;
mod sign_url;

pub use pili::{Pili, PiliError};
pub use publish::{PublishCall, PublishRefusal};
pub use review::{ReviewClient, ReviewError};
pub use rtc::RtcTokens;
