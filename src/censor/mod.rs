//! Content review: jobs of the review service that look at lives, the pictures it reports, and what
//! operators do about them.

mod audit;
mod dto;
mod error;
pub mod handlers;
mod hook;
mod image_queries;
mod job_queries;
mod jobs;
mod listing;
mod receive;
mod repair;
mod review_call;
mod service;
mod settings;

pub use dto::{Audit, ImageView, ListWanted, QueryWanted, ReviewedRoomView, RoomOnly, StopLive};
pub use error::Error;
pub use hook::HookKeys;
pub use review_call::ReviewCall;
pub use service::{Parts, Reviews};
pub use settings::Settings;
