//! What tests need from outside: servers of their own.

pub mod redis;
