//! Moderation: what it does to whoever writes or enters, on every node, and in which order.

mod bed;
mod effects;
mod limits;
mod nodes;
mod races;
