//! Services that the server calls, faked as fast as they can be: they must never be what is waited for.

mod http;
mod receiver;
mod rtc;

pub use receiver::{Arrival, Receiver};
pub use rtc::Rtc;
