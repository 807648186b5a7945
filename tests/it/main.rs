//! The integration tests: one binary, a module per feature.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod api;
mod cache;
mod database;
mod ids;
mod im;
mod signing;
mod support;
