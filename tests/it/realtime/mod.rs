//! The built-in IM: rooms, chat and notifications over WebSocket.

mod bed;
mod protocol;
