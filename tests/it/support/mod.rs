//! What tests need from outside: servers of their own.

pub mod chaos;
pub mod client;
pub mod database;
pub mod env;
pub mod redis;
pub mod server;
pub mod wait;
