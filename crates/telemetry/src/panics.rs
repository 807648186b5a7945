//! Panics in the log, wherever they happen: with the place, the thread, and the request on whose behalf.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;
use std::thread;

use common::supervise::text_of;

/// From now on panics are lines of the log. What caught one says what becomes of it.
pub(super) fn log() {
    panic::set_hook(Box::new(|info| {
        let thread = thread::current();
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        // Only with RUST_BACKTRACE.
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        let (panic, thread) = (text_of(info.payload()), thread.name().unwrap_or_default());
        tracing::error!(panic, location, thread, backtrace, "a thread panicked");
    }));
}
