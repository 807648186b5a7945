//! liveloom: the backend of a live-streaming app, wire-compatible with QNLiveKit_Server.

pub mod app;
pub mod auth;
pub mod censor;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crash;
pub mod error;
pub mod event;
pub mod id;
pub mod im;
pub mod jobs;
pub mod live;
pub mod media;
pub mod rest;
pub mod routes;
pub mod store;
pub mod telemetry;
pub mod user;
