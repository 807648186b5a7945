//! Callbacks to the business service.

mod bed;
mod command;
mod crash;
mod delivery;
mod expiry;
mod failure;
mod load;
mod nodes;
mod signature;
