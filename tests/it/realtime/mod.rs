//! The built-in IM: rooms, chat and notifications over WebSocket.

mod barrage;
mod bed;
mod faults;
mod limits;
mod mesh;
mod protocol;
mod resume;
mod rooms;
mod shutdown;
