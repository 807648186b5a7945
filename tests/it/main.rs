//! The integration tests: one binary, a module per feature.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod api;
mod cache;
mod config;
mod database;
mod event;
mod faults;
mod ids;
mod im;
mod lease;
mod process;
mod signing;
mod stream;
mod support;
