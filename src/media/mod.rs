//! The media services: RTC room tokens, and the publish and play addresses of Pili live streams,
//! and what is saved of them.

pub mod pili;
pub mod pili_saveas;
pub mod publish;
pub mod rtc;
pub mod rtc_rooms;
mod sign_url;

pub use pili::{Pili, PiliError};
pub use pili_saveas::{PiliSaveAs, SaveAsError, Saved, Span};
pub use publish::{PublishCall, PublishRefusal};
pub use rtc::RtcTokens;
pub use rtc_rooms::{OnlineUsers, RtcRooms};
