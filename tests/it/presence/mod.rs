//! Who is in a room: many at once, silence, restarts, and clocks that are wrong.

mod bed;
mod clocks;
mod crash;
mod eviction;
mod joins;
mod restart;
mod restore;
