//! Microphone seats: they go with the place in the room, and only one of several comes first.

pub mod cost;
mod crash;
mod leaving;
mod races;
