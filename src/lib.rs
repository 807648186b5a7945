//! liveloom: the backend of a live-streaming app, wire-compatible with QNLiveKit_Server.

pub mod app;
pub mod auth;
pub mod callback;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crash;
pub mod error;
pub mod event;
pub mod gift;
pub mod id;
pub mod im;
pub mod item;
pub mod jobs;
pub mod like;
pub mod live;
pub mod media;
pub mod mic;
pub mod reactions;
pub mod relay;
pub mod rest;
pub mod routes;
pub mod stats;
pub mod store;
pub mod telemetry;
pub mod user;
