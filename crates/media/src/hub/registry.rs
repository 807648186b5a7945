//! All streams by name.

use std::sync::Arc;

use super::audience::{Audience, Seats};
use super::error::{PublishError, WatchError};
use super::info::StreamInfo;
use super::limits::HubLimits;
use super::memory::Memory;
use super::observer::{DownReason, Observer};
use super::publisher::Publisher;
use super::stats::{Counters, HubStats};
use super::stream::Context;
use super::streams::Streams;
use super::viewer::Viewer;
use super::{Protocol, Source, StreamName};

/// The streams of this node. Copies are the same hub.
#[derive(Clone)]
pub struct Hub {
    streams: Arc<Streams>,
}

impl Hub {
    /// An empty hub, whose timers run on the runtime that this is called on.
    #[must_use]
    pub fn new(limits: HubLimits, observer: Arc<dyn Observer>) -> Self {
        let memory = Arc::new(Memory::new(limits.max_memory));
        let context = Context {
            limits,
            counters: Counters::default(),
            memory,
            seats: Arc::new(Seats::default()),
            observer,
        };
        Self { streams: Arc::new(Streams::new(context)) }
    }

    /// Publishes a stream. Whoever published it before is closed as [`DownReason::Replaced`], and its viewers
    /// go on with the new publisher.
    ///
    /// # Errors
    /// When there is no room for one more.
    pub fn publish(&self, name: &StreamName, source: Source) -> Result<Publisher, PublishError> {
        loop {
            let known = self.streams.find(name.as_str());
            if known.is_none() && self.streams.context.memory.is_over() {
                self.streams.reclaim();
                if self.streams.context.memory.is_over() {
                    return Err(PublishError::Memory);
                }
            }
            let stream = self.streams.find_or_create(name, source);
            match stream.attach(source) {
                Ok(attached) => return Ok(Publisher::new(stream, Arc::downgrade(&self.streams), attached)),
                // Its end is under way; the next turn makes a new one.
                Err(PublishError::Ended) => self.streams.forget(&stream),
                Err(error) => {
                    if known.is_none() {
                        self.streams.forget(&stream);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Watches a stream that is up.
    ///
    /// # Errors
    /// When it is not up, or too many watch.
    pub fn watch(&self, name: &str, audience: Audience) -> Result<Viewer, WatchError> {
        let stream = self.streams.find(name).filter(|stream| stream.state().up).ok_or(WatchError::NotUp)?;
        let context = &self.streams.context;
        let seat = context.seats.take(audience, &context.limits)?;
        Ok(Viewer::new(stream, audience.protocol, seat, false))
    }

    /// Follows a stream for a part of this server, a packager or a recorder: is not counted, skips nothing that
    /// is there, and may begin while the stream waits for its publisher.
    #[must_use]
    pub fn follow(&self, name: &str, protocol: Protocol) -> Option<Viewer> {
        let stream = self.streams.find(name).filter(|stream| stream.state().last.is_some())?;
        Some(Viewer::new(stream, protocol, None, true))
    }

    /// Ends a stream at once: its publisher is closed as [`DownReason::Cut`], its viewers are told that it is
    /// over. False when there is none.
    pub fn end(&self, name: &str, reason: &str) -> bool {
        let Some(stream) = self.streams.find(name) else { return false };
        let ended = stream.end(&DownReason::Cut(reason.to_owned()), None);
        self.streams.forget(&stream);
        ended
    }

    /// A stream as it is now, also while it waits for its publisher.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<StreamInfo> {
        self.streams.find(name).map(|stream| stream.info())
    }

    /// All streams, by name.
    #[must_use]
    pub fn list(&self) -> Vec<StreamInfo> {
        let mut infos: Vec<_> = self.streams.all().iter().map(|stream| stream.info()).collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }

    /// The count of memory, for others who keep frames.
    #[must_use]
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.streams.context.memory)
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> HubStats {
        self.streams.context.counters.snapshot(self.streams.context.memory.used())
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hub").finish_non_exhaustive()
    }
}
