//! The built-in IM: rooms, chat and notifications over WebSocket.

mod barrage;
mod bed;
mod mesh;
mod protocol;
