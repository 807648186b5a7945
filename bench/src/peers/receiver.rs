//! A receiver of callbacks: notes when each came, and answers `{"code":0}`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};

use super::http;

/// A callback that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its `webhook-id`.
    pub webhook_id: String,
    /// When its last byte was read.
    pub at: Instant,
}

/// The receiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Receiver {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let arrivals = Arc::<Mutex<Vec<Arrival>>>::default();
        let noted = Arc::clone(&arrivals);
        let address = http::start("receiver of callbacks", move |incoming| {
            let at = Instant::now();
            let webhook_id =
                incoming.header("webhook-id").context("a callback without webhook-id")?.to_owned();
            incoming.header("webhook-signature").context("a callback that is not signed")?;
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(Arrival { webhook_id, at });
            Ok(r#"{"code":0}"#.to_owned())
        })?;
        Ok(Self { address, arrivals })
    }

    /// For `callback.addr`.
    pub fn url(&self) -> String {
        format!("http://{}/callback", self.address)
    }

    /// How many have come, repeated ones included.
    pub fn count(&self) -> usize {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What came since the last call, in the order in which it came.
    pub fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
