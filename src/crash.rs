//! Steps at which a test may kill the process, to see that what was acknowledged survives.
//!
//! A build for users has none of it: [`point`] is then an empty function.

/// All steps, so that a test can go through them.
pub const POINTS: &[&str] = &[
    "callback.claimed",
    "callback.posted",
    "callback.recorded",
    "callback.alone_claimed",
    "callback.alone_posted",
    "callback.alone_recorded",
    "reactions.claimed",
    "reactions.reacted",
    "reactions.recorded",
    "live.left",
    "silence.removed",
    "silence.written",
    "mic.taken",
    "relay.bound",
    "relay.start_announced",
    "relay.started",
    "relay.unbound",
    "relay.stop_announced",
    "relay.stopped",
    "item.recording_ended",
    "item.recording_saved",
    "gift.claimed",
    "gift.answered",
    "gift.ending",
    "gift.ended",
    "settle.claimed",
    "settle.answered",
    "settle.ending",
    "settle.ended",
    "like.listed",
    "like.counted",
    "like.seed_begun",
    "like.seed_read",
    "like.seeded",
    "like.answered",
    "flush_likes.read",
    "flush_likes.written",
    "flush_likes.committed",
    "flush_likes.cleared",
    "adopt_likes.marked",
    "adopt_likes.noted",
    "operation.noted",
    "review.asked",
    "review.started",
    "review.known",
    "review.closing",
];

/// Kills the process, as `kill -9` does, when the environment variable `LIVELOOM_CRASH_AT` names this
/// step: `name`, or `name:n` for the n-th time that it is reached.
///
/// # Panics
/// When the step is not one of [`POINTS`].
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WANTED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let wanted = std::env::var("LIVELOOM_CRASH_AT").ok()?;
        let (name, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        Some((name.to_owned(), AtomicU32::new(count.parse().unwrap_or(1))))
    });

    assert!(POINTS.contains(&name), "{name} is not listed");
    if let Some((wanted, count)) = &*WANTED
        && wanted == name
        && count.fetch_sub(1, Ordering::Relaxed) == 1
    {
        let own = rustix::process::getpid();
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    }
}

/// Does nothing: this build cannot be killed on purpose.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_: &str) {}
