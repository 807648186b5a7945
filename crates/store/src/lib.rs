//! Where state lives: the databases, the cache, and the tables.

pub mod broker;
pub mod cache;
pub mod db;
pub mod entity;
pub mod fence;
pub mod lookup;
pub mod raise;
mod redis;
pub mod registry;
pub mod sequence;
mod shard;
pub mod statistics;
