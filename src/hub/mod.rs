//! Room messages on their way to those who are connected.

pub mod orders;
