//! Statistics of rooms: what clients report, and what was counted.

mod dto;
mod error;
pub mod handlers;
mod queries;
mod service;

pub use dto::{Figure, Report, ReportedCount, RoomStatistics};
pub use error::Error;
pub use service::Stats;
