//! What happens because of events, and the messages to rooms.

mod lane;
mod messages;
