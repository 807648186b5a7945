//! Counters outside the server: the database's statements, the cache's round trips, processes' CPU and memory.

pub mod attribute;
pub mod cache;
pub mod process;
pub mod sql;
pub mod statements;
