//! What tests need from outside: servers of their own, and fakes of the paid clouds.

pub mod database;
pub mod fake_im;
pub mod redis;
pub mod wait;
