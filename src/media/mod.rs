//! The media services: RTC room tokens, and the publish and play addresses of Pili live streams.

pub mod pili;
pub mod publish;
pub mod rtc;
pub mod rtc_rooms;
mod sign_url;

pub use pili::{Pili, PiliError};
pub use publish::{PublishCall, PublishRefusal};
pub use rtc::RtcTokens;
pub use rtc_rooms::{OnlineUsers, RtcRooms};
