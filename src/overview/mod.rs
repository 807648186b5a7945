//! What the whole installation is doing, for those who run it: its nodes with what they count, the jobs
//! of the leader, what waits for somebody, and the configuration.

mod dto;
mod error;
pub mod handlers;
mod service;

pub use dto::{ConfigView, Job, Leader, Node, Summary};
pub use error::Error;
pub use service::{Overview, Parts};
