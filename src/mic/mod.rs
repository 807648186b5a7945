//! Microphone seats: guests who speak in a room.
//!
//! A user has at most one seat in a room, and gives it up with their place there. It changes only
//! under the lock of the user ([`crate::live::Lives::lock_user`]), so that taking and leaving it
//! follow each other whatever comes at the same time.

mod dto;
mod error;
mod free;
pub mod handlers;
mod queries;
mod service;

pub use dto::{ForbidSeat, SeatExtends, SeatOfUser, SeatRoom, SeatSwitch, SeatView, TakeSeat, TokenView};
pub use error::Error;
pub use free::SeatsOfLeavers;
pub use queries::{Flags, SeatStatus};
pub use service::{Device, Mics, Parts};
