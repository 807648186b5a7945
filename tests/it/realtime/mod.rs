//! The built-in IM: rooms, chat and notifications over WebSocket.

mod barrage;
mod bed;
mod faults;
mod frames;
mod handshakes;
mod limits;
mod mesh;
mod missed_orders;
mod protocol;
mod resume;
mod rooms;
mod shutdown;
