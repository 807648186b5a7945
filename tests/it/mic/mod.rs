//! Microphone seats: they go with the place in the room, and only one of several comes first.

mod cost;
mod crash;
mod leaving;
mod races;
