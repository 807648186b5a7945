//! liveloom: the backend of a live-streaming app, wire-compatible with QNLiveKit_Server.

pub mod app;
pub mod auth;
pub mod callback;
pub mod censor;
pub mod cli;
pub mod demo;
pub mod edges;
pub mod event;
pub mod gift;
pub mod http_client;
pub mod im;
pub mod item;
pub mod jobs;
pub mod like;
pub mod live;
pub mod media;
pub mod mic;
pub mod moderation;
pub mod overview;
pub mod pages;
pub mod reactions;
pub mod relay;
pub mod rest;
pub mod routes;
pub mod stats;
pub mod user;
