//! The cluster test bed: three nodes over replicated stores.

mod bed;
mod drill;
mod faults;
mod leader;
mod meter;
mod rolling;
mod runs;
mod stage;
mod table;
mod watched;
