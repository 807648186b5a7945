//! HTTP connections, byte by byte: how they go on and end, and what peers cannot make of them.

mod crowds;
mod heads;
mod malformed;
mod pipelining;
mod proxies;
mod smuggling;
mod upgrades;
pub mod wire;
