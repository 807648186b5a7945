//! The streams by name, for the hub and for publishers.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;

use super::observer::DownReason;
use super::stream::{Context, Stream};
use super::{Source, StreamName};
use crate::lock::lock;

pub(super) struct Streams {
    pub(super) context: Arc<Context>,
    by_name: Mutex<HashMap<StreamName, Arc<Stream>>>,
    runtime: Handle,
}

impl Streams {
    /// No streams, with timers on the runtime that this is called on.
    pub(super) fn new(context: Context) -> Self {
        Self { context: Arc::new(context), by_name: Mutex::default(), runtime: Handle::current() }
    }

    pub(super) fn all(&self) -> Vec<Arc<Stream>> {
        lock(&self.by_name).values().cloned().collect()
    }

    pub(super) fn find_or_create(&self, name: &StreamName, source: Source) -> Arc<Stream> {
        let create = || Arc::new(Stream::new(name.clone(), source, Arc::clone(&self.context)));
        Arc::clone(lock(&self.by_name).entry(name.clone()).or_insert_with(create))
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Stream>> {
        lock(&self.by_name).get(name).cloned()
    }

    pub(super) fn forget(&self, stream: &Arc<Stream>) {
        let mut by_name = lock(&self.by_name);
        if by_name.get(&stream.name).is_some_and(|known| Arc::ptr_eq(known, stream)) {
            by_name.remove(&stream.name);
        }
    }

    /// Ends a stream if nobody publishes it before the time of grace is over. One that is ended before is not
    /// held until then.
    pub(super) fn end_unless_back(self: &Arc<Self>, stream: &Arc<Stream>, generation: u64) {
        let (streams, stream) = (Arc::downgrade(self), Arc::downgrade(stream));
        let grace = self.context.limits.grace;
        self.runtime.spawn(async move {
            tokio::time::sleep(grace).await;
            let reason = DownReason::Disconnected;
            if let Some(stream) = stream.upgrade()
                && stream.end(&reason, Some(generation))
                && let Some(streams) = streams.upgrade()
            {
                streams.forget(&stream);
            }
        });
    }

    /// Trims the largest windows until all of them fit.
    pub(super) fn reclaim(&self) {
        while self.context.memory.is_over() {
            let largest =
                self.all().into_iter().map(|stream| (stream.spare(), stream)).max_by_key(|(spare, _)| *spare);
            match largest {
                Some((spare, stream)) if spare > 0 => {
                    stream.trim();
                    self.context.counters.trimmed_windows.fetch_add(1, Ordering::Relaxed);
                }
                _ => return,
            }
        }
    }
}
