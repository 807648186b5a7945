//! The integration tests: one binary, a module per feature.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::string_slice)]

mod api;
mod broker;
mod cache;
mod callback;
mod config;
mod database;
mod deployment;
mod documents;
mod drill;
mod event;
mod faults;
mod gift;
mod ids;
mod im;
mod item;
mod lanes;
mod lease;
mod like;
mod mic;
mod moderation;
mod monitoring;
mod outage;
mod own_writes;
mod pages;
mod process;
mod reactions;
mod realtime;
mod relay;
mod review;
mod signing;
mod stats;
mod stream;
mod support;
mod web;
