//! What tests need from outside: servers of their own.

pub mod database;
pub mod redis;
