//! PK: two anchors whose rooms are shown side by side, each publishing into the other's RTC room.
//!
//! A room is bound to at most one session (`live_entities.pk_id`), and a session under way binds both
//! of its rooms. Rooms are locked before their session, always in one order; both change in one
//! transaction.

mod dto;
mod error;
pub mod handlers;
mod queries;
mod service;
mod status;
mod stop;

pub use dto::{PkView, StartPk, StartedView, UpdatePk};
pub use error::Error;
pub use service::{Parts, Relays};
pub use status::{Side, Status};
