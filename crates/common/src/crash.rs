//! Steps at which a test may kill the process, to see that what was acknowledged survives, or let a task
//! panic, to see who notices.
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
    "census.begun",
    "lease.kept",
    "registry.renewed",
    "changes.heard",
    "hub.heard",
];

/// Kills the process, as `kill -9` does, when the environment variable `LIVELOOM_CRASH_AT` names this
/// step: `name`, or `name:n` for the n-th time that it is reached. `LIVELOOM_PANIC_AT` lets the task panic.
///
/// # Panics
/// When it is to; when the step is not one of [`POINTS`].
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::LazyLock;

    static CRASH: LazyLock<Option<wanted::Step>> = LazyLock::new(|| wanted::Step::of("LIVELOOM_CRASH_AT"));
    static PANIC: LazyLock<Option<wanted::Step>> = LazyLock::new(|| wanted::Step::of("LIVELOOM_PANIC_AT"));

    assert!(POINTS.contains(&name), "{name} is not listed");
    if CRASH.as_ref().is_some_and(|step| step.is_reached_at(name)) {
        let own = rustix::process::getpid();
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    }
    assert!(!PANIC.as_ref().is_some_and(|step| step.is_reached_at(name)), "asked to panic at {name}");
}

/// Does nothing: this build cannot be killed on purpose.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_: &str) {}

#[cfg(feature = "crash-points")]
mod wanted {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A step that a test names, and how often it has still to be reached.
    pub(super) struct Step {
        name: String,
        left: AtomicU32,
    }

    impl Step {
        pub(super) fn of(variable: &str) -> Option<Self> {
            let wanted = std::env::var(variable).ok()?;
            let (name, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
            Some(Self { name: name.to_owned(), left: AtomicU32::new(count.parse().unwrap_or(1)) })
        }

        pub(super) fn is_reached_at(&self, name: &str) -> bool {
            self.name == name && self.left.fetch_sub(1, Ordering::Relaxed) == 1
        }
    }
}
