//! What tests need from outside: servers of their own, and fakes of the paid clouds.

pub mod callback_receiver;
pub mod chaos;
pub mod client;
pub mod database;
pub mod env;
pub mod fake;
pub mod fake_collector;
pub mod fake_im;
pub mod fake_payment;
pub mod fake_pili;
pub mod fake_review;
pub mod fake_rtc;
pub mod fence;
pub mod follower;
pub mod gift_bed;
pub mod gift_ledgers;
pub mod load;
pub mod media;
pub mod memory;
pub mod metrics;
pub mod realtime;
pub mod redis;
pub mod rooms;
pub mod server;
pub mod services;
pub mod wait;
