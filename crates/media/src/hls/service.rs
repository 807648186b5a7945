//! Packagers by stream: started when somebody asks, stopped when nobody does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use super::packager::Packager;
use crate::hub::{Hub, Protocol};
use crate::lock::lock;

/// How a service works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceSettings {
    /// A packager that nobody asks anything for this long is stopped.
    pub idle: Duration,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60) }
    }
}

/// The streams that are watched by HLS. Copies are the same service.
#[derive(Debug, Clone)]
pub struct Service {
    hub: Hub,
    settings: ServiceSettings,
    packagers: Arc<Mutex<HashMap<String, Arc<Packager>>>>,
}

impl Service {
    /// A service over the streams of a hub.
    #[must_use]
    pub fn new(hub: Hub, settings: ServiceSettings) -> Self {
        Self { hub, settings, packagers: Arc::default() }
    }

    /// The packager of a stream, started if there is none. It outlives its stream for a while, so that players
    /// read the end of the playlist. `None` when the stream is not up.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Packager>> {
        let mut packagers = lock(&self.packagers);
        let known = packagers.get(name).cloned();
        let up = self.hub.info(name).is_some_and(|info| info.up);
        if let Some(packager) = known
            && !(packager.position().ended && up)
        {
            return Some(packager);
        }
        if !up {
            return None;
        }
        let viewer = self.hub.follow(name, Protocol::Hls)?;
        let packager = Arc::new(Packager::spawn(viewer, self.hub.memory(), new_id()));
        packagers.insert(name.to_owned(), Arc::clone(&packager));
        self.stop_when_idle(name.to_owned(), &packager);
        Some(packager)
    }

    /// How many streams are packaged.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.packagers).len()
    }

    /// None is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn stop_when_idle(&self, name: String, packager: &Arc<Packager>) {
        let (packagers, packager) = (Arc::downgrade(&self.packagers), Arc::downgrade(packager));
        let idle = self.settings.idle;
        tokio::spawn(async move {
            loop {
                let Some(wait) = packager.upgrade().map(|packager| idle.saturating_sub(packager.idle()))
                else {
                    return;
                };
                if !wait.is_zero() {
                    sleep(wait).await;
                    continue;
                }
                let (Some(packagers), Some(packager)) = (packagers.upgrade(), packager.upgrade()) else {
                    return;
                };
                let mut packagers = lock(&packagers);
                if packagers.get(&name).is_some_and(|known| Arc::ptr_eq(known, &packager)) {
                    packagers.remove(&name);
                }
                return;
            }
        });
    }
}

/// Other than all before, also those of another process: the time in microseconds.
fn new_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}", since.as_micros())
}
