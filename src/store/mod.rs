//! Where state lives: the databases, the cache, and the tables.

pub mod cache;
pub mod db;
pub mod entity;
pub mod fence;
pub mod lookup;
pub mod raise;
pub mod registry;
pub mod sequence;
pub mod statistics;
