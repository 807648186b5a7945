//! What happens because of events, and the messages to rooms.

mod messages;
mod partition;
