//! Live rooms: their life from creation to end, who is in them, and what the API shows of them.

pub mod admin_handlers;
mod admin_listing;
mod admin_queries;
mod dto;
mod error;
pub mod handlers;
mod life;
mod listing;
mod members;
mod membership;
mod online;
mod page_queries;
mod pk;
mod pk_rows;
mod presence_rows;
mod queries;
mod removal;
mod review;
mod review_queries;
mod room;
mod seats;
mod service;
pub mod silence;
pub mod stream;
mod stream_call;
mod stream_rows;
mod view;
mod visits;
mod whereabouts;

pub use admin_listing::AdminRoom;
pub use dto::{
    CreateRoom, CreateRoomFor, ForAnchor, HeartbeatView, RoomFigures, RoomView, TimeInput, UpdateExtends,
};
pub use error::Error;
pub use removal::TakenOut;
pub use review::{Reviewed, ReviewedRoom, STOPPED_BY_CENSOR};
pub use room::{LiveStatus, Room};
pub use seats::{Freed, Seats};
pub use service::{Lives, Parts, TOPIC};
