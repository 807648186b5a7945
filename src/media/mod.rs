//! The media services: RTC rooms and their tokens; the publish and play addresses of Pili live
//! streams, what is saved of them, and the review of what they show.

pub mod pili;
pub mod pili_saveas;
pub mod publish;
pub mod review;
pub mod rtc;
pub mod rtc_rooms;
mod sign_url;

pub use pili::{Pili, PiliError};
pub use pili_saveas::{PiliSaveAs, SaveAsError, Saved, Span};
pub use publish::{PublishCall, PublishRefusal};
pub use review::{ReviewClient, ReviewError};
pub use rtc::RtcTokens;
pub use rtc_rooms::{OnlineUsers, RtcRooms};
