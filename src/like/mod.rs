//! Likes: counted in the cache, written to `stats_single_live`, told to the room.
//!
//! The cache holds the truth: all likes of a room, seeded from the table when it does not know
//! them. What the table lacks is marked there and written about every second, in absolute numbers
//! that never become smaller, so that writing twice is harmless. A cache that ends with the process
//! is written before a like is answered.

mod adopt;
mod dto;
mod error;
mod flush;
pub mod handlers;
mod notify;
mod queries;
mod service;
mod warm_up;

pub use dto::{LikesView, PutLike};
pub use error::Error;
pub use service::{Likes, Parts, register_given};
