//! What tests need from outside: servers of their own, and fakes of the paid clouds.

pub mod callback_receiver;
pub mod chaos;
pub mod client;
pub mod database;
pub mod env;
pub mod fake_im;
pub mod redis;
pub mod server;
pub mod wait;
