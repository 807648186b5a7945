//! The integration tests: one binary, a module per feature.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod cache;
mod config;
mod database;
mod event;
mod ids;
mod im;
mod lease;
mod signing;
mod support;
